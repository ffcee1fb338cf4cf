#!/usr/bin/env bash
# rspamd beside Hamlet, asked by the same driver in the same run: how many comments a second each judges over HTTP. Of rspamd its Bayes alone is
# on, learnt from the lines of training-data, its tokens in a Redis of its own. Both begin and end with this script.
#
#   benches/rspamd.sh            Debian: apt-get install rspamd redis-server
#
# Not the same work: rspamd judges and keeps nothing, Hamlet also looks up what it knows of author and links, and has every comment on disk
# before it answers.
set -euo pipefail
cd "$(dirname "$0")/.."
for needed in rspamd rspamc redis-server redis-cli python3; do
    command -v "$needed" >/dev/null || { echo "$needed is missing; apt-get install rspamd redis-server python3" >&2; exit 2; }
done

folder=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null; wait; rm -rf "$folder"' EXIT
redis="$folder/redis.sock"
redis-server --port 0 --unixsocket "$redis" --dir "$folder" --save "" >"$folder/redis.log" &

cat >"$folder/rspamd.conf" <<CONF
options {
    pidfile = "$folder/rspamd.pid"; tempdir = "$folder"; filters = ""; hs_cache_dir = "$folder"; rrd = ""; history_file = "";
    dns { nameserver = ["127.0.0.1:1"]; timeout = 0.01s; retransmits = 0; }
}
logging { type = "file"; filename = "$folder/rspamd.log"; level = "error"; }
worker "normal" { bind_socket = "127.0.0.1:11933"; count = 2; }
worker "controller" { bind_socket = "127.0.0.1:11934"; count = 1; secure_ip = "127.0.0.1"; }
redis { servers = "$redis"; }
actions { reject = 15; add_header = 6; }
classifier "bayes" {
    tokenizer { name = "osb"; }
    backend = "redis"; new_schema = true; min_tokens = 1; min_learns = 200; servers = "$redis";
    statfile { symbol = "BAYES_HAM"; spam = false; }
    statfile { symbol = "BAYES_SPAM"; spam = true; }
}
group "statistics" { symbols { BAYES_SPAM { weight = 5; } BAYES_HAM { weight = -3; } } }
CONF
rspamd -c "$folder/rspamd.conf" -f -u "$(id -un)" -g "$(id -gn)" --insecure >"$folder/rspamd.out" 2>&1 &

python3 - "$folder" <<'LEARN'
import json, pathlib, sys
folder = pathlib.Path(sys.argv[1])
for label in ("ham", "spam"):
    (folder / label).mkdir()
    lines = [line for path in sorted(pathlib.Path("training-data").glob(f"*-{label}*.jsonl")) for line in path.open()]
    for number, line in enumerate(lines[:: max(1, len(lines) // 400)]):
        text = json.loads(line)["content"]
        mail = f"From: Ana <ana@mail.example>\r\nMessage-ID: <{label}{number}@mail.example>\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{text}\r\n"
        (folder / label / f"{number}.eml").write_bytes(mail.encode())
LEARN
for _ in $(seq 600); do rspamc -h 127.0.0.1:11934 stat >"$folder/stat" 2>&1 && break || sleep 0.1; done
for label in ham spam; do rspamc -h 127.0.0.1:11934 "learn_$label" "$folder/$label" >"$folder/learnt" 2>&1 || tail -3 "$folder/learnt"; done
rspamc -h 127.0.0.1:11934 stat | grep -i "learned\|statfile" || true
cargo bench --locked --bench submit -- rspamd 127.0.0.1:11933
