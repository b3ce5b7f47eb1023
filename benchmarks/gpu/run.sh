#!/usr/bin/env bash
# On the machine with the card, from the root of the repository: bash benchmarks/gpu/run.sh [--dry | --take]
# With --dry everything happens on the CPU, with random data, in a temporary folder.
# Python is that of PYTHON, or else of .venv as `make install` makes it, or else python3.
set -u
cd "$(dirname "$0")/../.."
python=${PYTHON:-$(test -x .venv/bin/python && echo .venv/bin/python || echo python3)}
export PYTHONUNBUFFERED=1
there='from importlib.util import find_spec; raise SystemExit(not all(map(find_spec, ("numpy", "torch"))))'
if ! "$python" -c "$there"; then
    echo "$python lacks numpy or torch: make install, or name a Python that has them, as PYTHON=... bash benchmarks/gpu/run.sh" >&2
    exit 1
fi
if [ "${1:-}" = --dry ]; then
    LEND_GPU_WORK=$(mktemp -d)
    trap 'rm -rf "$LEND_GPU_WORK"' EXIT
    export LEND_GPU_SENT=$LEND_GPU_WORK/sent LEND_CUDA_TESTS_ON=cpu CUDA_VISIBLE_DEVICES= OMP_NUM_THREADS=1
    OUT=${OUT:-output/gpu-dry}
    "$python" benchmarks/gpu/prepare.py --no-wheels --part 300000 --into "$LEND_GPU_SENT" || exit
fi
export LEND_GPU_WORK=${LEND_GPU_WORK:-/tmp/lend-gpu} OUT=${OUT:-results/gpu}
export PYTHONPATH=$PWD:$PWD/benchmarks:$LEND_GPU_WORK/site${PYTHONPATH:+:$PYTHONPATH}
if [ $# = 0 ]; then
    "$python" -c 'import sys, torch; sys.exit(0 if torch.cuda.is_available() else "no CUDA device: --dry needs none")' || exit
    command -v nvidia-smi >/dev/null && nvidia-smi
fi
"$python" benchmarks/gpu/run.py "$@"
