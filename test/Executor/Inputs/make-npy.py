"""Writes half the row-major index of every element: make-npy.py FILE.npy TYPE DIM,DIM,..."""
import struct
import sys

path, kind, dims = sys.argv[1:]
shape = tuple(int(d) for d in dims.split(","))
count = 1
for dim in shape:
    count *= dim
code = {"f4": "f", "i4": "i", "i8": "q"}[kind]
values = [i / 2 if kind == "f4" else i // 2 for i in range(count)]
header = f"{{'descr': '<{kind}', 'fortran_order': False, 'shape': {shape}, }}".encode()
header += b" " * (-(len(header) + 11) % 64) + b"\n"
with open(path, "wb") as file:
    file.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header)
    file.write(struct.pack(f"<{count}{code}", *values))
