"""Reads one message on stdin with Python's own parser, and tells what a mail program would see of it, as JSON."""
import email
import email.policy
import json
import sys

raw = sys.stdin.buffer.read()
mail = email.message_from_bytes(raw, policy=email.policy.SMTP)
parts = [part for part in mail.walk() if not part.is_multipart()]
head = raw.split(b"\r\n\r\n", 1)[0].split(b"\r\n")
print(json.dumps({
    "bytes": len(raw),
    "line_bytes_max": max(len(line) for line in raw.split(b"\r\n")),
    "defects": [repr(defect) for part in [mail, *parts] for defect in part.defects]
        + [repr(defect) for value in mail.values() for defect in value.defects],
    "headers": {name: [str(value) for value in mail.get_all(name)] for name in set(mail.keys())},
    # Headers of one line, as they stand on the wire.
    "lines": [line.decode("ascii") for line in head if not line.startswith((b" ", b"\t"))],
    "addresses": [address.addr_spec for name in ("From", "To") for address in mail[name].addresses],
    "parts": [part.get_content_type() for part in parts],
    "text": mail.get_body(("plain",)).get_content(),
    "html": mail.get_body(("html",)).get_content(),
}))
