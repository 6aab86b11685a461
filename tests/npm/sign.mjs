// Prints webhooks that the senders' own packages have signed, as JSON lines. The first line holds the
// environment that Placet needs to verify them. If a package can only verify, Node's crypto signs, and the
// verifier of the package must accept the webhook before it is printed.

import crypto from "node:crypto";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

import { LinearWebhookClient } from "@linear/sdk/webhooks";
import { sign as octokitSign, verify as octokitVerify } from "@octokit/webhooks-methods";
import { Paddle } from "@paddle/paddle-node-sdk";
import { verifyKey } from "discord-interactions";
import square from "square";
import * as standard from "standardwebhooks";
import Stripe from "stripe";
import * as svix from "svix";
import twilio from "twilio/lib/webhooks/webhooks.js";

const PUBLIC_URL = process.argv[2];
const JSON_TYPE = { "Content-Type": "application/json" };

const now = () => Math.floor(Date.now() / 1000);
const hmac = (key, ...parts) => parts.reduce((mac, part) => mac.update(part), crypto.createHmac("sha256", key));
const word = () => crypto.randomBytes(20).toString("hex");

const environment = {};
function secret(source, value) {
  environment[`PLACET_SECRET_${source.toUpperCase().replaceAll("-", "_")}`] = value;
  return value;
}

const lines = [];
function send(source, { headers, body, signature, query = "", name = source, type = JSON_TYPE }) {
  const path = `/webhooks/${source}${query}`;
  lines.push({ name, source, path, signature, headers: { ...type, ...headers }, body: Buffer.from(body).toString("base64") });
}

async function proven(source, verdict) {
  if ((await verdict) === false) throw new Error(`the verifier of ${source} refuses the webhook that was signed for it`);
}

// Three bodies for each sender: one with everything that JSON allows, an empty object, and a large one.
const bodies = (fields = {}) => [
  JSON.stringify({ id: crypto.randomUUID(), note: "schön ♥ \u2028 \\ / \u0007", ...fields }, null, 3) + "\r\n",
  JSON.stringify({ id: crypto.randomUUID(), ...fields }),
  JSON.stringify({ id: crypto.randomUUID(), ...fields, large: crypto.randomBytes(150_000).toString("hex") }),
];

for (const [source, prefix, { Webhook }] of [
  ["standard", "webhook", standard], ["svix", "svix", svix], ["humanlayer", "webhook", svix],
]) {
  const webhook = new Webhook(secret(source, "whsec_" + crypto.randomBytes(24).toString("base64")));
  for (const body of bodies()) {
    const [id, at] = [`msg_${crypto.randomUUID()}`, new Date()];
    const made = { id, timestamp: `${Math.floor(at / 1000)}`, signature: webhook.sign(id, at, body) };
    webhook.verify(body, Object.fromEntries(Object.entries(made).map(([key, value]) => [`webhook-${key}`, value])));
    const headers = Object.fromEntries(Object.entries(made).map(([key, value]) => [`${prefix}-${key}`, value]));
    send(source, { headers, body, signature: `${prefix}-signature` });
  }
}

{
  const key = secret("stripe", `whsec_${word()}`);
  const { webhooks } = new Stripe("sk_test_unused");
  for (const payload of bodies({ object: "event", type: "charge.succeeded" })) {
    const header = webhooks.generateTestHeaderString({ payload, secret: key, timestamp: now() });
    webhooks.constructEvent(payload, header, key);
    send("stripe", { headers: { "Stripe-Signature": header }, body: payload, signature: "Stripe-Signature" });
  }
}

{
  const key = secret("twilio", word());
  const query = "?foo=1&bar=a%20b";
  const url = `${PUBLIC_URL}/webhooks/twilio`;
  const fields = { MessageSid: `SM${word()}`, Body: " schön & so = on+ ♥", From: "+15550001111", Empty: "", MediaUrl: ["b", "a"] };
  const form = new URLSearchParams(Object.entries(fields).flatMap(([name, value]) => [value].flat().map((one) => [name, one])));
  const signature = twilio.getExpectedTwilioSignature(key, url + query, fields);
  await proven("twilio", twilio.validateRequest(key, signature, url + query, fields));
  send("twilio", {
    name: "twilio-form", query, body: form.toString(), signature: "X-Twilio-Signature",
    headers: { "X-Twilio-Signature": signature }, type: { "Content-Type": "application/x-www-form-urlencoded" },
  });
  for (const body of bodies()) {
    const hashed = `${query}&bodySHA256=${twilio.getExpectedBodyHash(body)}`;
    const header = twilio.getExpectedTwilioSignature(key, url + hashed, {});
    await proven("twilio", twilio.validateRequestWithBody(key, header, url + hashed, body));
    send("twilio", { name: "twilio-json", query: hashed, body, headers: { "X-Twilio-Signature": header }, signature: "X-Twilio-Signature" });
  }
}

{
  const key = secret("linear", word());
  const client = new LinearWebhookClient(key);
  for (const body of bodies({ action: "create", type: "Issue", webhookTimestamp: Date.now() })) {
    const header = hmac(key, body).digest("hex");
    await proven("linear", client.verify(Buffer.from(body), header));
    const headers = { "Linear-Signature": header, "Linear-Delivery": crypto.randomUUID(), "Linear-Event": "Issue" };
    send("linear", { headers, body, signature: "Linear-Signature" });
  }
}

for (const [source, fields] of [["discord", { type: 2 }], ["discord-events", { type: 1, event: { type: "APPLICATION_AUTHORIZED" } }]]) {
  const { publicKey, privateKey } = crypto.generateKeyPairSync("ed25519");
  const key = secret(source, publicKey.export({ type: "spki", format: "der" }).subarray(-32).toString("hex"));
  for (const body of bodies(fields)) {
    const time = `${now()}`;
    const header = crypto.sign(null, Buffer.from(time + body), privateKey).toString("hex");
    await proven(source, verifyKey(body, header, time, key));
    const headers = { "X-Signature-Ed25519": header, "X-Signature-Timestamp": time };
    send(source, { headers, body, signature: "X-Signature-Ed25519" });
  }
}

{
  const key = secret("paddle", `pdl_ntfset_${word()}`);
  const { webhooks } = new Paddle("unused");
  for (const body of bodies({ event_type: "transaction.completed" })) {
    const time = now();
    const header = `ts=${time};h1=${hmac(key, `${time}:`, body).digest("hex")}`;
    await proven("paddle", webhooks.isSignatureValid(body, key, header));
    send("paddle", { headers: { "Paddle-Signature": header }, body, signature: "Paddle-Signature" });
  }
}

{
  const key = secret("square", word());
  for (const requestBody of bodies({ type: "payment.created" })) {
    const signatureHeader = hmac(key, `${PUBLIC_URL}/webhooks/square`, requestBody).digest("base64");
    const notificationUrl = `${PUBLIC_URL}/webhooks/square`;
    await proven("square", square.WebhooksHelper.verifySignature({ requestBody, signatureHeader, signatureKey: key, notificationUrl }));
    const headers = { "x-square-hmacsha256-signature": signatureHeader };
    send("square", { headers, body: requestBody, signature: "x-square-hmacsha256-signature" });
  }
}

{
  const key = secret("github", word());
  const file = createRequire(import.meta.url).resolve("@octokit/webhooks-examples");
  for (const { name, examples } of JSON.parse(readFileSync(file, "utf8"))) {
    for (const example of examples) {
      const body = JSON.stringify(example);
      const header = await octokitSign(key, body);
      await proven("github", octokitVerify(key, body, header));
      const headers = { "X-Hub-Signature-256": header, "X-GitHub-Event": name, "X-GitHub-Delivery": crypto.randomUUID() };
      send("github", { name: `github-${name}`, headers, body, signature: "X-Hub-Signature-256" });
    }
  }
}

for (const line of [environment, ...lines]) console.log(JSON.stringify(line));
