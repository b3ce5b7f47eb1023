"""Models of transformers and open_clip, with random weights: the code that loads them, and what it makes of them."""

import json

import numpy as np
import pytest

import lend

pytestmark = pytest.mark.integrations

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "red", "green", "apple", "old", "house"]
TEXTS = ["a red apple", "a green apple in an old house", "house"]


def pictures():
    return [np.random.default_rng(i).integers(0, 256, (40 + i, 60, 3), dtype=np.uint8) for i in range(3)]


@pytest.fixture
def bert(tmp_path):
    """A small BERT with random weights, as save_pretrained writes it."""
    transformers = pytest.importorskip("transformers")
    (tmp_path / "vocab.txt").write_text("\n".join(WORDS))
    folder = tmp_path / "bert"
    transformers.BertTokenizerFast(vocab=str(tmp_path / "vocab.txt")).save_pretrained(folder)
    sizes = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32}
    config = transformers.BertConfig(vocab_size=len(WORDS), **sizes)
    transformers.BertModel(config).save_pretrained(folder)
    return folder


def test_texts_are_the_mean_of_their_tokens(bert):
    import torch
    from transformers import AutoModel, AutoTokenizer

    found = lend.embed(TEXTS, model=f"hf:{bert}", precision="float32", progress=False)
    network, tokenizer = AutoModel.from_pretrained(bert).eval(), AutoTokenizer.from_pretrained(bert)
    with torch.inference_mode():  # one at a time: no padding
        wanted = [network(**tokenizer(t, return_tensors="pt")).last_hidden_state[0].mean(0).numpy() for t in TEXTS]
    np.testing.assert_allclose(found.embeddings, wanted, atol=1e-5)
    random = lend.embed(TEXTS, model=f"hf:{bert}", weights="none", progress=False)
    again = lend.embed(TEXTS, model=f"hf:{bert}", weights="none", progress=False)
    assert (random.embeddings == again.embeddings).all()
    assert random.about["model"]["weights"] != found.about["model"]["weights"]


def test_texts_are_their_first_token_where_the_files_say_so(bert):
    import torch
    from transformers import AutoModel, AutoTokenizer

    (bert / "1_Pooling").mkdir()
    (bert / "1_Pooling" / "config.json").write_text(json.dumps({"pooling_mode_cls_token": True}))
    found = lend.embed(TEXTS, model=f"hf:{bert}", precision="float32", progress=False)
    network, tokenizer = AutoModel.from_pretrained(bert).eval(), AutoTokenizer.from_pretrained(bert)
    with torch.inference_mode():
        wanted = [network(**tokenizer(t, return_tensors="pt")).last_hidden_state[0, 0].numpy() for t in TEXTS]
    np.testing.assert_allclose(found.embeddings, wanted, atol=1e-5)


def test_images_by_class_token(tmp_path):
    import torch

    transformers = pytest.importorskip("transformers")
    sizes = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32}
    network = transformers.ViTModel(transformers.ViTConfig(image_size=32, patch_size=8, **sizes)).eval()
    network.save_pretrained(tmp_path / "vit")
    processor = transformers.ViTImageProcessor(size={"height": 32, "width": 32})
    processor.save_pretrained(tmp_path / "vit")
    found = lend.embed(pictures(), model=f"hf:{tmp_path / 'vit'}", precision="float32", progress=False)
    with torch.inference_mode():
        batch = processor(pictures(), return_tensors="pt")["pixel_values"]
        wanted = network(pixel_values=batch).last_hidden_state[:, 0].numpy()
    np.testing.assert_allclose(found.embeddings, wanted, atol=1e-4)


def test_clip_of_transformers_gives_its_image_features(tmp_path):
    transformers = pytest.importorskip("transformers")
    sizes = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32}
    vision = {**sizes, "image_size": 32, "patch_size": 8}
    config = transformers.CLIPConfig(text_config=sizes, vision_config=vision, projection_dim=12)
    transformers.CLIPModel(config).save_pretrained(tmp_path / "clip")
    transformers.CLIPImageProcessor(size={"shortest_edge": 32}, crop_size=32).save_pretrained(tmp_path / "clip")
    assert lend.embed(pictures(), model=f"hf:{tmp_path / 'clip'}", progress=False).embeddings.shape == (3, 12)


def test_open_clip_embeds_images_and_texts():
    pytest.importorskip("open_clip")
    images = lend.embed(pictures(), model="open_clip:RN50", weights="none", progress=False)
    assert images.embeddings.shape == (3, 1024) and "open_clip" in images.about["model"]["images"]
    texts = lend.embed(TEXTS, model="open_clip:RN50", weights="none", progress=False)
    assert texts.embeddings.shape == (3, 1024)
    with pytest.raises(ValueError, match="there is no 'RN51'; did you mean"):
        lend.embed(TEXTS, model="open_clip:RN51")


def test_a_hub_that_cannot_be_reached_is_one_line(monkeypatch):
    pytest.importorskip("transformers")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)  # the variable has been read
    with pytest.raises(ValueError, match="its weights cannot be had .* without a network: model tfidf"):
        lend.embed(TEXTS, model="hf:nobody/has-this-model")
