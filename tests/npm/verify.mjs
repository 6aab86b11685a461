// Reads {secret, headers, body} as JSON lines. Prints for each whether `svix` and `standardwebhooks` verify it.
import { createInterface } from 'node:readline'
import { Webhook as Standard } from 'standardwebhooks'
import { Webhook as Svix } from 'svix'

const believes = (library, { secret, headers, body }) => {
  try {
    new library(secret).verify(body, headers)
    return true
  } catch {
    return false
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  const webhook = JSON.parse(line)
  console.log(JSON.stringify({ svix: believes(Svix, webhook), standardwebhooks: believes(Standard, webhook) }))
}
