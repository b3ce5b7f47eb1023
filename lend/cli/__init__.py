"""The command line: each verb of ``lend`` reads its options and calls one function of the library."""
