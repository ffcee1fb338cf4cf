"""A mail server that is not ours, aiosmtpd. Says its port, then of each mail when it came, by which connection and for whom; ends with stdin."""
import asyncio
import sys
import time

from aiosmtpd.smtp import SMTP


class Sink:
    async def handle_DATA(self, server, session, envelope):
        print(time.monotonic(), session.peer[1], envelope.rcpt_tos[0], flush=True)
        return "250 taken"


async def main():
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(Sink(), hostname="mail.example"), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


asyncio.run(main())
