"""What the kit does, in what order, for how long, and how large; --dry does the same on a CPU in minutes."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Step:
    """A part of the work: a script beside this one, its arguments, and the seconds that it may take."""

    name: str
    command: tuple[str, ...]
    seconds: int


@dataclass(frozen=True)
class Plan:
    """All steps, sizes and limits of a run of the kit."""

    steps: tuple[Step, ...]
    device: str
    seconds: int  # of one call, all together
    packing: int  # of these, to pack what came out
    sizes: dict[str, int]  # of the measurements
    aside: tuple[int, ...]  # trainings side by side
    trainings: dict[str, object]  # settings of the reference runs that differ from the paper's


# of the measurement of speed, in the order of their worth: seconds that each may take, of what is left of the step's
GROUPS = {"eager": 60, "aside": 60, "graphs": 25, "compiled": 80}

ALL_TESTS = ("-m", "pytest", "-m", "cuda", "tests/cuda")
DRY_TESTS = (*ALL_TESTS, "-k", "cuda_graph or test_selector or goes_on_on_a_cpu or (waits and lend)")
# no plugins, hooks or strictness of the repository: the packages there are others
PLAIN = ("-p", "no:cacheprovider", "-o", "addopts=", "-o", "filterwarnings=", "-q", "--durations=5")


def _steps(tests: tuple[str, ...], seconds: tuple[int, int, int]) -> tuple[Step, ...]:
    return (
        Step("tests", (*tests, *PLAIN), seconds[0]),
        Step("speed", ("benchmarks/gpu/speed.py",), seconds[1]),
        Step("scale", ("benchmarks/gpu/scale.py",), seconds[2]),
    )


# 25,000 images are cut into batches of 255 and 256, as CIFAR-10 is
_SIZES = {"images": 25_000, "width": 64, "batch": 256, "rounds": 2, "loaders": 12, "graph": 1_000_000, "audit": 50_000}
_DRY_SIZES = {"images": 120, "width": 4, "batch": 40, "rounds": 1, "loaders": 1, "graph": 3000, "audit": 400}

FULL = Plan(_steps(ALL_TESTS, (90, 150, 60)), "cuda", 570, 75, _SIZES, (2, 4, 8), {})
DRY = Plan(
    _steps(DRY_TESTS, (90, 150, 60)),
    "cpu",
    400,
    30,
    _DRY_SIZES,
    (2,),
    {"epochs": 2, "width": 4, "batch_size": 40, "device": "cpu", "compile": False, "snapshots": (1, 2)},
)
POINTS = 10_000  # examples in the snapshots that come back
FILES, BYTES = 8, 15 << 20  # that come back, at most, and of each


def plan(dry: bool) -> Plan:
    """Return the whole plan, or the dry one."""
    return DRY if dry else FULL
