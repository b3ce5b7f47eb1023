"""Coverage and width of the intervals that a check by people gives, beside plain random sampling of as many examples.

Many checks of one audit, each of another sample, answered by the known labels: how often the interval holds the true
number of errors, the true precision and the true recall of the flagged set, and how wide it is in the mean; plain is an
exact interval of a plain random sample. Coverage of plain precision and recall is not measured: it has none or few of
the flagged labels. "curve" is the coverage at one threshold of the score, drawn anew in each check.

Without arguments on made-up scores, of all rates of errors and qualities. With --text on tables of texts with the
columns text, label and noisy_label (TF-IDF, 128 numbers by SVD); with --embeddings and --labels on an array and a
table.
"""

import argparse
import itertools
import warnings
from pathlib import Path

import numpy as np
import pandas as pd

import lend
from lend.auditing.drawing import draw
from lend.auditing.stratified import Sample

SIZES = (50, 100, 200, 500)


def synthetic(generator):
    """Scores of labels of which some are wrong; at distance 0 they tell nothing, at 3 nearly all."""
    for n, rate, distance in itertools.product((500, 3000, 50_000), (0.001, 0.01, 0.05, 0.2, 0.4), (0, 1, 2, 3)):
        wrong = generator.random(n) < rate
        told = generator.normal(size=n) + np.where(wrong, -distance, distance)
        scores = 1 / (1 + np.exp(-(2 * distance * told + np.log((1.001 - rate) / (rate + 1e-3)))))
        yield f"made up, {n:,}, {100 * rate:g} % wrong, distance {distance}", wrong, scores, scores < 0.5


def audited(title, embeddings, given, true):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = lend.audit(embeddings, given, progress=False)
    rows, known = found.labelled, found.issues.index.get_indexer(found.labelled.index)
    wrong = np.asarray(given)[known] != np.asarray(true)[known]
    print(f"{title}: {found}", flush=True)
    return title, wrong, rows["label_score"].to_numpy(), rows["is_label_issue"].to_numpy(bool)


def texts(paths):
    from sklearn.decomposition import TruncatedSVD
    from sklearn.feature_extraction.text import TfidfVectorizer

    for path in paths:
        table = pd.read_parquet(path)
        matrix = TfidfVectorizer(sublinear_tf=True, min_df=2).fit_transform(table["text"])
        embeddings = TruncatedSVD(128, random_state=0).fit_transform(matrix).astype(np.float32)
        yield audited(path.stem, embeddings, table["noisy_label"].to_numpy(), table["label"].to_numpy())


def images(embeddings, table, columns):
    embeddings, table = np.load(embeddings, mmap_mode="r"), pd.read_parquet(table, columns=["label", *columns])
    for column in columns:
        yield audited(column, embeddings, table[column].to_numpy(), table["label"].to_numpy())


def inside(low, high, value):
    return low - 1e-9 <= value <= high + 1e-9


def checks(wrong, scores, flagged, n, rounds, confidence, generator):
    """Coverage and mean width over many checks."""
    total, held, widths, count = int(wrong.sum()), [], [], len(wrong)
    precision = wrong[flagged].mean() if flagged.any() else np.nan
    for seed in range(rounds):
        drawing = draw(scores, flagged, seed)
        drawn = drawing.order[:n]
        sample = Sample(drawing.size, drawing.strata[drawn], wrong[drawn], confidence)
        part, few = flagged[drawn], int(wrong[drawn].sum())
        low, high = sample.errors().interval(few, count - n + few)
        hits = int((wrong[drawn] & part).sum())
        ends = sample.errors(part).interval(hits, int(flagged.sum() - part.sum()) + hits)
        recall = sample.share(part)
        most = scores[drawn[generator.integers(n)]]
        cut = sample.share(scores[drawn] <= most)
        plain = generator.choice(count, n, replace=False)
        alone = Sample(np.array([count]), np.zeros(n, np.int64), wrong[plain], confidence)
        seen = int(wrong[plain].sum())
        ends_plain = alone.errors().interval(seen, count - n + seen)
        held.append(
            (
                inside(low, high, total),
                not flagged.any() or inside(*np.array(ends) / flagged.sum(), precision),
                not total or inside(recall.low, recall.high, (wrong & flagged).sum() / total),
                not total or inside(cut.low, cut.high, (wrong & (scores <= most)).sum() / total),
                inside(*ends_plain, total),
            )
        )
        widths.append((high - low, ends_plain[1] - ends_plain[0]))
    return np.mean(held, axis=0), np.mean(widths, axis=0) / count


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--text", type=Path, nargs="+", help="tables of texts (.parquet)")
    parser.add_argument("--embeddings", type=Path, help="array (n, d), .npy")
    parser.add_argument("--labels", type=Path, help="table of its labels (.parquet), with the true ones in label")
    parser.add_argument("--columns", nargs="+", default=["noisy_label"], help="of the given labels in that table")
    parser.add_argument("--rounds", type=int, default=500, help="checks of each case")
    parser.add_argument("--confidence", type=float, default=0.9)
    options = parser.parse_args()
    generator, least, ratios = np.random.default_rng(0), [], []
    cases = list(texts(options.text or []))
    cases += images(options.embeddings, options.labels, options.columns) if options.embeddings else []
    print(f"{'n':>5} {'errors':>7} {'precis.':>7} {'recall':>7} {'curve':>7} {'plain':>7} {'width':>7} {'of plain':>8}")
    for title, wrong, scores, flagged in cases or synthetic(generator):
        print(f"{title}: {100 * wrong.mean():.2f} % wrong, {100 * flagged.mean():.1f} % flagged")
        for n in SIZES:
            if n <= len(wrong) / 2:
                held, width = checks(wrong, scores, flagged, n, options.rounds, options.confidence, generator)
                least.append(held)
                ratios.append(width[0] / width[1])
                shown = " ".join(f"{share:7.3f}" for share in held)
                print(f"{n:5} {shown} {width[0]:7.3f} {ratios[-1]:8.2f}", flush=True)
    print("lowest", " ".join(f"{share:7.3f}" for share in np.min(least, axis=0)), f"mean width {np.mean(ratios):.2f}")


if __name__ == "__main__":
    main()
