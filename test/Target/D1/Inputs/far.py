"""Prints a routine with a branch over more words than a branch reaches."""
print("""func.func @far(%a: i64, %n: i64) attributes {d1.routine} {
  %is = arith.cmpi eq, %a, %n : i64
  scf.if %is {""")
for _ in range(9000):
    print("    d1.drain")
print("""  } else {
    d1.std %a, %n, 0 : (i64, i64) -> ()
  }
  return
}""")
