"""A transformer from scratch, by the Trainer of Hugging Face. The lines marked "# lend" record it."""

import numpy as np
import torch
from transformers import DistilBertConfig, DistilBertForSequenceClassification, Trainer, TrainingArguments, set_seed

import lend
from lend.integrations.huggingface import LendCallback  # lend

# Made-up reports: five words of every text are of its topic, seven are common ones; 40 % of the labels are wrong.
TOPICS = {
    "weather": "rain cloud storm wind sun snow frost fog hail heat".split(),
    "sport": "goal match team coach race score league referee medal season".split(),
    "market": "price share bank trade stock bond profit loss rate fund".split(),
    "garden": "rose soil seed bee leaf root lawn tulip hedge compost".split(),
}
COMMON = "the a and of to in on for with today new more said after before about".split()
WORDS = {word: code for code, word in enumerate([*COMMON, *(word for words in TOPICS.values() for word in words)])}
draw = np.random.default_rng(0)
true = draw.integers(0, len(TOPICS), 1000)
lists = [draw.permutation([*draw.choice(list(TOPICS.values())[c], 5), *draw.choice(COMMON, 7)]) for c in true]
texts = torch.tensor([[WORDS[word] for word in words] for words in lists])
noisy = lend.noise.corrupt(true[:800], lend.noise.symmetric(len(TOPICS), 0.4), seed=0)

train = [
    {"index": i, "input_ids": texts[i], "labels": noisy[i]}  # lend: the position of each example is a column
    for i in range(800)
]
test = [{"input_ids": texts[i], "labels": true[i]} for i in range(800, 1000)]

set_seed(0)
sizes = {"vocab_size": len(WORDS), "max_position_embeddings": 12, "num_labels": len(TOPICS)}
config = DistilBertConfig(**sizes, dim=32, hidden_dim=64, n_heads=2, n_layers=2)
about = {"labels": noisy, "true_labels": true[:800], "class_names": [*TOPICS], "snapshots": (2, 10)}  # lend
trainer = Trainer(
    DistilBertForSequenceClassification(config),
    TrainingArguments(
        "output/huggingface",
        num_train_epochs=10,
        per_device_train_batch_size=50,
        learning_rate=2e-3,
        eval_strategy="epoch",
        save_strategy="no",
        use_cpu=True,
        disable_tqdm=True,
        report_to="none",
        remove_unused_columns=False,  # lend
    ),
    train_dataset=train,
    eval_dataset=test,
    compute_metrics=lambda found: {"accuracy": float((found.predictions.argmax(axis=1) == found.label_ids).mean())},
    callbacks=[LendCallback("runs/huggingface", **about)],  # lend
)
trainer.train()

print(lend.Run.open("runs/huggingface").history.filter(like="accuracy").iloc[[0, 1, -1]].T.round(3))
