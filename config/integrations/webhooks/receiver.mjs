// Receives Hamlet's webhooks and believes only what is signed. Node 18 or newer, standard library only.
//
//     WEBHOOK_SECRET=whsec_... node receiver.mjs 8080
//
// Take `verify` into your blog; the server below it is for trying things out. The specification is Standard Webhooks 1.0.

import { createHmac, timingSafeEqual } from "node:crypto";
import { createServer } from "node:http";
import { argv, env } from "node:process";
import { pathToFileURL } from "node:url";

const TOLERANCE_SECONDS = 300; // an old webhook that somebody kept is worth nothing
const BODY_BYTES_MAX = 1 << 20;

/** The event, or an Error. `secret` begins with whsec_, `headers` has names in lower case, `body` is a Buffer of the bytes as they came. */
export function verify(secret, headers, body, now = Date.now() / 1000) {
  const [id, sent] = [headers["webhook-id"] ?? "", headers["webhook-timestamp"] ?? ""];
  if (!id || !/^[0-9]+$/.test(sent)) throw new Error("no webhook");
  if (Math.abs(now - Number(sent)) > TOLERANCE_SECONDS) throw new Error("too old, or a clock is wrong");
  const key = Buffer.from(secret.replace(/^whsec_/, ""), "base64");
  const expected = Buffer.from("v1," + createHmac("sha256", key).update(`${id}.${sent}.`).update(body).digest("base64"));
  // Several signatures stand there while the secret is being changed; one must be ours.
  const given = (headers["webhook-signature"] ?? "").split(" ").map((one) => Buffer.from(one));
  const ours = given.filter((one) => one.length === expected.length && timingSafeEqual(one, expected));
  if (ours.length === 0) throw new Error("not signed with our secret");
  return JSON.parse(body);
}

async function receive(request, response) {
  const chunks = [];
  let length = 0;
  for await (const chunk of request) {
    length += chunk.length;
    if (length > BODY_BYTES_MAX) return response.writeHead(413).end();
    chunks.push(chunk);
  }
  try {
    const { type, data } = verify(env.WEBHOOK_SECRET, request.headers, Buffer.concat(chunks));
    // Any webhook may come twice (the same webhook-id): setting a status twice does no harm.
    console.log(type, data.id, data.status);
    response.writeHead(204).end();
  } catch (error) {
    response.writeHead(401).end(error.message);
  }
}

if (import.meta.url === pathToFileURL(argv[1]).href) createServer(receive).listen(Number(argv[2]), "127.0.0.1");
