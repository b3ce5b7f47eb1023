"""The data sets of which results are kept: those whose every copy of the original gives the same digest."""

from __future__ import annotations

# SHA-256 of lend.data.digest -> the name by which lend.data.load knows it
ORIGINALS = {
    "37b2f38e8162a95b343c782ed1cdea2eab00523ab1d14cc69f9a0b02cc649395": "cifar10",
    "b26f4849f5cd09aebf93029eb7a7f0ad5bdc44b8c008fb510a94a4e377d3b4b7": "cifar100",
    "e99be3c07ac95c983d58292e5a7821e5a31cf755ce3f0db761bdfe4bd8e6c4a5": "digits",
}
TITLES = {"cifar10": "CIFAR-10 (original)", "cifar100": "CIFAR-100 (original)", "digits": "digits"}
