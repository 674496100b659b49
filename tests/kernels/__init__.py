"""pyinit as PID 1 of a machine: kernels in qemu, without a root file system; `make real` runs them.

The frozen file alone is tested: an initramfs has no Python.
"""
