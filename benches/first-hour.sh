#!/usr/bin/env bash
# A new admin's first hour, from nothing to a back-up, with what each step says and how long it took: docs/first-hour.md is its output.
#
#   benches/first-hour.sh [HAMLET] > transcript.md      HAMLET: the program [default: target/release/hamlet]
#
# It makes its own folder, listens on loopback alone, mails nobody, and takes some minutes. Environment: COMMENTS (10000), how many
# comments the old blog had; NOTE, what readers of the times should know of the machine.
set -euo pipefail

hamlet=$(realpath "${1:-target/release/hamlet}")
comments=${COMMENTS:-10000}
here=$(cd "$(dirname "$0")/.." && pwd)
folder=$(mktemp -d)
port=$((20000 + RANDOM % 20000))
daemon=
trap 'if [[ -n $daemon ]]; then kill "$daemon" || true; wait "$daemon" || true; fi; rm -rf "$folder"' EXIT
cd "$folder"
ln -s "$hamlet" hamlet
export PATH="$folder:$PATH" NO_COLOR=1

# Runs what a person would type, and shows it with what it says, how it ends and how long it takes.
step() {
    local began status=0 said
    began=$(date +%s%N)
    said=$(eval "$1" 2>&1) || status=$?
    local took=$((($(date +%s%N) - began) / 1000000))
    printf '\n```console\n$ %s\n' "$1"
    if [[ -n $said ]]; then sed "s#$folder#~#g" <<<"$said"; fi
    printf '```\n\n<sub>%d.%03d s%s</sub>\n' $((took / 1000)) $((took % 1000)) "$([[ $status -eq 0 ]] || echo ", exit code $status")"
}

title() { printf '\n## %s\n\n%s\n' "$1" "$2"; }

# The settings of a blog that sends its mails into a folder: nothing leaves this machine.
settle() {
    python3 - "$port" <<'PY'
import pathlib, re, secrets, sys
file = pathlib.Path("hamlet.toml")
text = file.read_text()
text = text.replace("127.0.0.1:8025", f"127.0.0.1:{sys.argv[1]}").replace("https://hamlet.example.org", f"http://127.0.0.1:{sys.argv[1]}")
text = re.sub(r'(?ms)^transport = "smtp"\n\n\[mail\.smtp\].*?(?=^\[sites)', 'transport = "files"\n\n', text)
text = re.sub(r'(?m)^(webhook_url|webhook_secret) = .*\n', "", text)
text = text.replace("CHANGE-ME", secrets.token_hex(16))
file.write_text(text)
PY
    # Everything that the step needs to know is in the file; nothing is said.
    grep -c . hamlet.toml >"$folder/lines"
}

# What a blog that never was leaves behind, made of the corpus that was written for this project: WordPress's export, which holds approved
# comments and some that wait, and a table of what its owner called spam, a quarter as much.
old_blog() {
    python3 - "$here/training-data" "$comments" <<'PY'
import csv, json, pathlib, random, sys
texts = {"ham": [], "spam": []}
for file in sorted(pathlib.Path(sys.argv[1]).glob("*-*.jsonl")):
    for line in file.read_text().splitlines():
        row = json.loads(line)
        if row.get("label") in texts:
            texts[row["label"]].append(row["content"])
dice, count = random.Random(1), int(sys.argv[2])
def author():
    who = f"Reader {dice.randrange(max(8, count // 11))}"
    return who, who.lower().replace(" ", "") + "@readers.example"
def date(number, count):
    return f"2025-{1 + number * 11 // count:02d}-{1 + dice.randrange(28):02d} {dice.randrange(24):02d}:{dice.randrange(60):02d}:00"
def comment(number, text, approved):
    who, mail = author()
    return (f"<wp:comment><wp:comment_id>{number}</wp:comment_id><wp:comment_author><![CDATA[{who}]]></wp:comment_author>"
            f"<wp:comment_author_email>{mail}</wp:comment_author_email><wp:comment_author_IP>192.0.2.{dice.randrange(250)}</wp:comment_author_IP>"
            f"<wp:comment_date_gmt>{date(number, count)}</wp:comment_date_gmt><wp:comment_content><![CDATA[{text.replace(']]>', ']] >')}]]></wp:comment_content>"
            f"<wp:comment_approved>{approved}</wp:comment_approved></wp:comment>\n")
def varied(text):
    words = text.split()
    # No two are the same: a word moves, and a number is named.
    if len(words) > 4:
        at = dice.randrange(len(words) - 1)
        words[at], words[at + 1] = words[at + 1], words[at]
    return " ".join(words) + f" ({dice.randrange(10**6)})"
with open("export.xml", "w") as out:
    out.write("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<rss><channel><wp:base_blog_url>https://blog.example.org</wp:base_blog_url>\n")
    per_page = 50
    for number in range(1, count + 1):
        if number % per_page == 1:
            page = number // per_page
            out.write(("</item>\n" if page else "") + f"<item><title>Post {page}</title><link>https://blog.example.org/post-{page}</link>\n")
        out.write(comment(number, varied(dice.choice(texts["ham"])), "0" if dice.random() < 0.02 else "1"))
    out.write("</item>\n</channel></rss>\n")
with open("spam.csv", "w", newline="") as out:
    table = csv.writer(out)
    table.writerow(["ID", "Who", "Mail", "When", "Said", "Page"])
    for number in range(1, count // 4 + 1):
        page = f"https://blog.example.org/post-{dice.randrange(count // 50)}"
        table.writerow([number, f"Shop {number}", f"shop{number}@ads.example", date(number, count // 4), varied(dice.choice(texts["spam"])), page])
PY
}

# Starts the daemon and waits until it is ready; the log is the admin's to read.
start() {
    hamlet serve --config hamlet.toml >serve.log 2>&1 &
    daemon=$!
    for _ in $(seq 100); do
        if curl -fs "http://127.0.0.1:$port/health/ready" >/dev/null; then return; fi
        sleep 0.2
    done
    cat serve.log
    return 1
}

stop() {
    kill "$daemon"
    wait "$daemon"
    daemon=
}

cat <<TEXT
# The first hour

From nothing to a blog whose comments are judged by a model that learnt from its own past, and back from every mistake. This page is the
output of [\`benches/first-hour.sh\`](../benches/first-hour.sh), which anybody can run again; the blog is made up, $comments comments of it.
What you type stands behind a \`\$\`; the rest is what Hamlet says. ${NOTE:-}
TEXT

title "Settings" "One file. \`init\` writes it with everything that has to be filled in; here a script fills it in, and mails go into a folder."
step 'hamlet init'
settle
step 'hamlet config check --config hamlet.toml'
step 'hamlet config show --config hamlet.toml --changed --origins'

title "The old comments" "WordPress: *Tools, Export*, which leaves spam out; that comes as a table. What would come of it is asked first; then it is taken in, and a second time, which adds nothing."
old_blog
step 'ls -sh export.xml spam.csv && head -2 spam.csv'
step 'hamlet import export.xml --from wxr --config hamlet.toml --dry-run'
step 'hamlet import export.xml --from wxr --config hamlet.toml'
step 'hamlet import export.xml --from wxr --config hamlet.toml'
step 'hamlet import spam.csv --from csv --label spam --map name=Who --map email=Mail --map date=When --map body=Said --map page_url=Page --config hamlet.toml'

title "How good would it be?" "Each comment is scored by models that have not seen it, nor its page."
step 'hamlet export --labels > labels.jsonl'
step 'hamlet evaluate --input labels.jsonl --folds 5 --html report.html'

title "Learning" "A model from these labels. It says what it learnt from and how well it judges what it has not seen, and it is put to work."
step 'hamlet retrain --config hamlet.toml'
step 'hamlet model show --site blog --config hamlet.toml'

title "Serving" "The daemon starts, and a comment comes in from the blog. The site observes, as \`init\` wrote it: what the machine says is in \`verdict\`, and \`status\` is what it would be without Hamlet. \`hamlet site set blog mode=enforce\` ends that once you trust it."
start
step 'head -3 serve.log'
key=$(sed -n 's/^api_key = "\(.*\)"/\1/p' hamlet.toml)
export key port
step 'curl -s http://127.0.0.1:$port/v1/comments -H "Authorization: Bearer $key" -d '\''{"name": "Zoe", "email": "zoe@readers.example", "ip": "198.51.100.7", "body": "We descaled our kettle with vinegar and it stopped hissing."}'\'' | head -c 400'
step 'hamlet queue list --config hamlet.toml'
step 'hamlet doctor --config hamlet.toml'
for number in $(seq 1 12); do
    curl -s "http://127.0.0.1:$port/v1/comments" -H "Authorization: Bearer $key" -o answer.json \
        -d "{\"name\": \"Reader $number\", \"email\": \"new$number@readers.example\", \"body\": \"Question $number: does the lid of the new kettle close by itself?\"}"
    id=$(python3 -c 'import json; print(json.load(open("answer.json"))["id"])')
    hamlet queue rule "$id" --as publish --config hamlet.toml >/dev/null 2>&1
done
printf '\nTwelve more comments come and are ruled on. Learning again takes them in; a new model judges if it does no worse on what neither has learnt from. Going back is one command.\n'
step 'hamlet retrain --config hamlet.toml'
step 'hamlet model list --config hamlet.toml'
step 'hamlet model rollback --site blog --config hamlet.toml'

title "A person asks to be forgotten" "What is kept of them is theirs to see; then it goes, from the store and from the model. A model that knew them does not come back."
step 'hamlet export --email reader7@readers.example --config hamlet.toml | wc -l'
step 'hamlet forget --email reader7@readers.example --config hamlet.toml --dry-run'
step 'hamlet forget --email reader7@readers.example --config hamlet.toml'
step 'hamlet model rollback --site blog --config hamlet.toml'
step 'hamlet retrain --config hamlet.toml'

title "A copy, and the day it is needed" "While the daemon runs; and back again while none does."
step 'hamlet backup copy --config hamlet.toml'
step 'hamlet restore copy --config hamlet.toml --force'
stop
step 'hamlet restore copy --config hamlet.toml --dry-run'
step 'hamlet restore copy --config hamlet.toml --force'
start
step 'hamlet doctor --config hamlet.toml --format csv | grep -v ,ok,'
stop
