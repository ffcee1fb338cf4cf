"""PyPI's pykismet3 speaks plain http to KEY.HOST; both are pointed at the daemon under test."""

import os
import socket

import pykismet3

HOST = os.environ["HAMLET_URL"].removeprefix("http://").replace("127.0.0.1", "localhost")
resolve = socket.getaddrinfo
socket.getaddrinfo = lambda host, *rest, **more: resolve("127.0.0.1" if host.endswith("localhost") else host, *rest, **more)
for call in ("CHECK", "SUBMIT_SPAM", "SUBMIT_HAM"):
    name = f"AKISMET_{call}_URL"
    setattr(pykismet3, name, getattr(pykismet3, name).replace("rest.akismet.com", HOST))

COMMENT = {
    "user_ip": "192.0.2.1",
    "user_agent": "Lynx",
    "referrer": "https://blog.example",
    "comment_author": "Ann Lee",
    "comment_author_email": "ann@example.org",
    "comment_content": "The kettle sings before it boils, sent by pykismet3.",
}


def client(key):
    return pykismet3.Akismet(api_key=key, blog_url="https://blog.example", user_agent="test")


good = client(os.environ["AKISMET_KEY"])
assert good.check(dict(COMMENT)) is False
assert good.check(COMMENT | {"comment_author": "akismet-guaranteed-spam"}) is True
good.submit_spam(dict(COMMENT))
good.submit_ham(dict(COMMENT))
try:
    client("wrongwrong00").check(dict(COMMENT))
except pykismet3.AkismetServerError as error:
    assert str(error).endswith("invalid"), error
else:
    raise AssertionError("a wrong key got a verdict")
