"""Verifies the DKIM signature of one message on stdin with dkimpy; the public key in base64 is the argument. Prints what is signed."""
import sys

import dkim

raw = sys.stdin.buffer.read()
record = b"v=DKIM1; k=rsa; p=" + sys.argv[1].encode()
verifier = dkim.DKIM(raw)
if not verifier.verify(dnsfunc=lambda name, timeout=5: record):
    sys.exit("the signature is wrong")
print(" ".join(name.decode().lower() for name, _ in verifier.signed_headers))
