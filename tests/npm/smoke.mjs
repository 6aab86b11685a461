// Makes every call of a TypeScript SDK of HumanLayer as its users do: node smoke.mjs <package>
// Needs HUMANLAYER_API_KEY and HUMANLAYER_API_BASE. The person who answers uses the key in PERSON_KEY; without it both
// use one key, which must be a self-approval key. Prints "ok" at the end.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'

const [name] = process.argv.slice(2)
const { humanlayer } = await import(name)

const run = randomBytes(3).toString('hex')
const nap = () => new Promise(wake => setTimeout(wake, 200))
let made = 0
const genid = prefix => `${prefix}-${run}-${++made}`
const next = prefix => `${prefix}-${run}-${made + 1}`

const hl = humanlayer({ runId: `ts ${run}`, genid, sleep: nap })
const human = humanlayer({ apiKey: process.env.PERSON_KEY ?? process.env.HUMANLAYER_API_KEY })
const calls = human.backend.functions()
const contacts = human.backend.contacts()

// A person, who answers as soon as the call exists.
async function soon(store, id, status) {
  for (let tries = 100; ; tries--) {
    await nap()
    try {
      return await store.respond(id, status)
    } catch (error) {
      if (!tries || !/404/.test(error.message)) throw error
    }
  }
}
const decide = status => soon(calls, next('call'), status)
const reply = response => soon(contacts, next('human_call'), { response })

const call = await hl.createFunctionCall({ spec: { fn: 'wipe', kwargs: { disk: 'sda' }, state: { n: 1 } } })
assert.deepEqual((await hl.getFunctionCall(call.call_id)).spec.state, { n: 1 })
await hl.escalateEmailFunctionCall(call.call_id, { escalation_msg: 'still waiting' })
const denied = await calls.respond(call.call_id, { approved: false, comment: 'no', requested_at: new Date() })
assert.equal(denied.status.approved, false)
await assert.rejects(calls.respond(call.call_id, { approved: true }), /409|400/)

const contact = await hl.createHumanContact({ spec: { msg: 'Which?' } })
await hl.escalateEmailHumanContact(contact.call_id, { escalation_msg: 'still waiting' })
assert.equal((await contacts.respond(contact.call_id, { response: 'sdb' })).status.response, 'sdb')

const double = hl.requireApproval()(async ({ x }) => x * 2)
decide({ approved: true })
assert.equal(await double({ x: 4 }), 8)
decide({ approved: false, comment: 'nope' })
assert.match(await double({ x: 4 }), /denied .* nope/)
reply('blue')
assert.equal(await hl.humanAsTool()({ message: 'colour?' }), 'blue')
decide({ approved: true, comment: '' })
assert.equal((await hl.fetchHumanApproval({ spec: { fn: 'f', kwargs: {} } })).approved, true)

// Without an argument the body has no kwargs. With a text as argument the kwargs are the text.
const now = hl.requireApproval()(async () => 'done')
decide({ approved: true })
assert.equal(await now(), 'done')
const say = hl.requireApproval()(async text => text)
decide({ approved: true })
assert.equal(await say('plain'), 'plain')

await assert.rejects(hl.getFunctionCall('no-such-call'), /404/)
console.log(name, 'ok')
