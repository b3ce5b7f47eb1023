"""TF-IDF and a truncated SVD (latent semantic analysis): texts without a network, fitted to the texts themselves."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from importlib.metadata import version
from itertools import islice

import numpy as np

from lend.embedding.model import Model, Wish
from lend.embedding.source import TEXTS, Content
from lend.embedding.texts import read_text
from lend.inputs import require

NAME = "tfidf"
COMPONENTS = 256
TERMS = 200_000  # the most frequent ones
SEED = 0
SAMPLE = 2000  # texts to find the script in
# Scripts that set no spaces between words: Thai, Lao, Myanmar, Khmer, kana, Han, and Han of the later planes.
UNSPACED = (
    (0x0E00, 0x0EFF),
    (0x1000, 0x109F),
    (0x1780, 0x17FF),
    (0x3040, 0x30FF),
    (0x3400, 0x9FFF),
    (0x20000, 0x3FFFF),
)
SHARE = 0.3  # of the letters: from here on terms are runs of characters


def open_tfidf(wish: Wish, contents: Callable[[int], Iterator[Content]]) -> Model:
    """Fit TF-IDF of words and pairs of words, with the logarithm of the counts, and reduce it to 256 numbers.

    Where texts are of scripts without spaces, terms are runs of 1 to 3 characters. There are fewer numbers where the
    texts have fewer terms, or are fewer.

    Args:
        wish: What is asked for.
        contents: The texts, as in :class:`lend.embedding.Source`.

    Raises:
        ValueError: If no text has a word.
    """
    wish.require_kind(TEXTS)
    wish.require_own_size()
    require(wish.weights == "default", "weights", f"default, as {NAME} has none", wish.weights)
    from sklearn.decomposition import TruncatedSVD
    from sklearn.feature_extraction.text import TfidfVectorizer

    characters = unspaced(islice(_texts(contents), SAMPLE))
    kind = {"analyzer": "char", "ngram_range": (1, 3)} if characters else {"ngram_range": (1, 2)}
    vectorizer = TfidfVectorizer(**kind, sublinear_tf=True, max_features=TERMS, dtype=np.float32)
    try:
        matrix = vectorizer.fit_transform(_texts(contents))
    except ValueError as error:  # "empty vocabulary"
        raise ValueError(f"texts must have words, got none that {NAME} finds ({error})") from None
    components = min(COMPONENTS, *matrix.shape)
    with np.errstate(divide="ignore", invalid="ignore"):  # of the variance of equal texts, which is not used
        svd = TruncatedSVD(components, random_state=SEED).fit(matrix)
    digest = hashlib.sha256("\n".join(vectorizer.get_feature_names_out()).encode())
    for array in (vectorizer.idf_, svd.components_):
        digest.update(np.ascontiguousarray(array).tobytes())
    about = {
        "name": NAME,
        "version": version("scikit-learn"),
        "weights": digest.hexdigest(),
        "texts": f"{'characters' if characters else 'words'}, {matrix.shape[1]:,} terms",
    }

    def encode(texts: Sequence[str]) -> np.ndarray:
        return svd.transform(vectorizer.transform(texts)).astype(np.float32)

    return Model(TEXTS, about, prepare=lambda text: text, encode=encode, batch_size=1024)


def _texts(contents: Callable[[int], Iterator[Content]]) -> Iterator[str]:
    """The texts that can be embedded."""
    for content in contents(0):
        try:
            yield read_text(content)
        except ValueError:
            continue


def unspaced(texts: Iterable[str]) -> bool:
    """Whether many letters of these texts are of scripts that set no spaces between words."""
    letters = other = 0
    for text in texts:
        for char in text[:1000]:
            if char.isalpha():
                letters += 1
                other += any(first <= ord(char) <= last for first, last in UNSPACED)
    return letters > 0 and other >= SHARE * letters
