// npm's akismet-api speaks to KEY.HOST, @cedx/akismet to a base URL; both are pointed at the daemon under test.
import assert from "node:assert/strict";
import dns from "node:dns";
import { createRequire } from "node:module";

const folder = `${process.env.HAMLET_CLIENTS}/node_modules`;
const { AkismetClient } = createRequire(`${folder}/`)("akismet-api");
const { Author, Blog, CheckResult, Client, Comment } = await import(`file://${folder}/@cedx/akismet/lib/index.js`);
const [url, key, blog] = [process.env.HAMLET_URL, process.env.AKISMET_KEY, "https://blog.example"];
const resolve = dns.lookup;
dns.lookup = (host, ...rest) => resolve(host.endsWith("localhost") ? "127.0.0.1" : host, ...rest);

const host = url.replace("http://127.0.0.1", "localhost");
const api = (key) => new AkismetClient({ key, blog, host, protocol: "http" });
const ann = { ip: "192.0.2.1", name: "Ann Lee", email: "ann@example.org", content: "The kettle sings before it boils, sent by akismet-api." };
assert.equal(await api(key).verifyKey(), true);
assert.equal(await api(key).checkSpam(ann), false);
assert.equal(await api(key).checkSpam({ ...ann, email: "akismet-guaranteed-spam@example.com" }), true);
assert.equal(await api(key).checkSpam({ ip: "192.0.2.1", role: "administrator", isTest: true }), false);
assert.equal((await api(key).submitSpam(ann)).text, "Thanks for making the web a better place.");
assert.equal((await api(key).submitHam(ann)).text, "Thanks for making the web a better place.");
assert.equal(await api("wrongwrong00").verifyKey(), false);
await assert.rejects(api("wrongwrong00").checkSpam(ann), /Invalid API key/);

const cedx = (key) => new Client(key, new Blog({ url: blog, charset: "UTF-8", languages: ["en", "fr"] }), { baseUrl: url, isTest: true });
const author = (more) => new Author({ ipAddress: "192.0.2.1", name: "Ann Lee", ...more });
const ham = new Comment({ author: author({ role: "administrator" }), content: "The kettle sings.", date: new Date(), context: ["tea", "pots"] });
const spam = new Comment({ author: author({ email: "akismet-guaranteed-spam@example.com" }), content: "Spam!" });
assert.equal(await cedx(key).verifyKey(), true);
assert.equal(await cedx(key).checkComment(ham), CheckResult.ham);
assert.equal(await cedx(key).checkComment(spam), CheckResult.spam);
await cedx(key).submitHam(ham);
await cedx(key).submitSpam(spam);
assert.equal(await cedx("wrongwrong00").verifyKey(), false);
await assert.rejects(cedx("wrongwrong00").checkComment(ham), /opens no site/);
