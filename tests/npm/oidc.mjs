// An OpenID Connect provider on a free port, for one client. It prints its issuer, and ends with its standard input.
//
// The account is the login. `unverified@…` has an address that is not verified. The id token of `audience@…` is for
// another client, as if the provider had mixed them up.

import { createServer } from "node:http";
import { SignJWT, decodeJwt, exportJWK, generateKeyPair, importJWK } from "jose";
import Provider from "oidc-provider";

const { privateKey } = await generateKeyPair("RS256", { extractable: true });
const jwk = { ...(await exportJWK(privateKey)), alg: "RS256", use: "sig", kid: "test" };
const server = createServer();
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
const issuer = `http://127.0.0.1:${server.address().port}`;

const provider = new Provider(issuer, {
  clients: [{ client_id: "placet", client_secret: process.env.CLIENT_SECRET, redirect_uris: [process.env.CALLBACK] }],
  claims: { email: ["email", "email_verified"] },
  conformIdTokenClaims: false,
  cookies: { keys: ["for a test only"] },
  findAccount: (_, id) => ({
    accountId: id,
    claims: () => ({ sub: id, email: id, email_verified: !id.startsWith("unverified") }),
  }),
  jwks: { keys: [jwk] },
  pkce: { required: () => true },
});

provider.use(async (context, next) => {
  await next();
  const token = context.path === "/token" && context.body?.id_token;
  if (!token) return;
  const claims = decodeJwt(token);
  if (!claims.email.startsWith("audience")) return;
  const key = await importJWK(jwk, "RS256");
  const other = new SignJWT({ ...claims, aud: "another-client" }).setProtectedHeader({ alg: "RS256", kid: "test" });
  context.body = { ...context.body, id_token: await other.sign(key) };
});

server.on("request", provider.callback());
console.log(issuer);
process.stdin.resume();
process.stdin.on("end", () => process.exit(0));
