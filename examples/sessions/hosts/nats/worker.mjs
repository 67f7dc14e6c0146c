// A worker: node worker.mjs, as many as there are cores and machines. NATS_URL says where NATS is, LEASE_MS how soon others take over.
import { randomUUID } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { AckPolicy, DeliverPolicy } from '@nats-io/jetstream'
import { nanos } from '@nats-io/transport-node'
import { openModel } from '../../model.mjs'
import { partitionOf } from '../../partition.mjs'
import { SessionStore } from '../../session-store.mjs'
import { natsStates, nameIn, openJetStream, orStoreError, PARTITIONS, PULL_MS } from './jetstream.mjs'
import { Leases } from './leases.mjs'
import { LoggedSession } from './logged-session.mjs'

const { NATS_URL = 'nats://127.0.0.1:4222', LEASE_MS = '3000' } = process.env
const CAPACITY = 10_000
/** How long frames are collected before they are stepped as one batch. */
const COLLECT_MS = 2
/** Most messages of a partition that are not acknowledged: where states cannot be saved, frames wait in the log. */
const MOST_PENDING = 10_000
const UNUSED_MS = 60_000
const HOUR_MS = 60 * 60 * 1000

const worker = randomUUID()
const nats = await openJetStream(NATS_URL, Number(LEASE_MS))
const leases = new Leases(nats, worker)
const model = await openModel(await readFile(new URL('../../../digits.safetensors', import.meta.url)), CAPACITY)
const store = new SessionStore(model, natsStates(nats.states), {
  collect: (step) => setTimeout(step, COLLECT_MS),
  onSaved: (name, sequence) => sessions.get(name)?.saved(sequence),
})
/** @type {Map<string, LoggedSession>} */
const sessions = new Map()
/** Messages of the partitions that this worker has. */
const consuming = new Map()

async function consume(partition) {
  const consumer = await nats.js.consumers.get('FRAMES', await ownConsumer(partition))
  const messages = await consumer.consume({ abort_on_missing_resource: true, expires: PULL_MS })
  consuming.set(partition, messages)
  readMessages(messages)
    .catch(({ message }) => console.error(`partition ${partition}: ${message}`)) // another worker has it, which `renew` finds out; or read it again
    .finally(() => consuming.get(partition) === messages && consuming.delete(partition))
}

async function readMessages(messages) {
  for await (const message of messages) {
    const name = nameIn(message.subject)
    if (!sessions.has(name)) sessions.set(name, new LoggedSession(name, nats, store))
    sessions.get(name).take(message)
  }
}

/** A consumer that gets all messages of a partition that are not acknowledged. The one of the worker before ends: it gets no more. */
async function ownConsumer(partition) {
  const prefix = `partition-${partition}-`
  for await (const { name } of nats.manager.consumers.list('FRAMES')) {
    if (name.startsWith(prefix)) await nats.manager.consumers.delete('FRAMES', name)
  }
  const { name } = await nats.manager.consumers.add('FRAMES', {
    durable_name: `${prefix}${worker}`, filter_subject: `frames.${partition}.>`, deliver_policy: DeliverPolicy.All,
    ack_policy: AckPolicy.Explicit, ack_wait: nanos(HOUR_MS), max_ack_pending: MOST_PENDING,
  })
  return name
}

/** Reads a partition no longer. @param putAway is given the names of its sessions, one by one */
async function stop(partition, putAway) {
  await consuming.get(partition)?.close()
  consuming.delete(partition)
  const names = Array.from(sessions.keys()).filter((name) => partitionOf(name, PARTITIONS) === partition)
  await Promise.all(names.map(async (name) => {
    const session = sessions.get(name)
    session.end()
    await putAway(name).catch(({ message }) => console.error(message)) // what is not saved is in the log
    store.forget(name)
    sessions.delete(name)
  }))
}

async function giveBack(partition) {
  await stop(partition, (name) => store.leave(name))
  await nats.connection.flush()
  await leases.giveBack(partition)
}

async function renew() {
  const { lost, held, extra } = await leases.renew()
  for (const partition of lost) await stop(partition, async (name) => store.forget(name))
  for (const partition of extra) await giveBack(partition)
  for (const [name, session] of sessions) if (session.isUnusedFor(UNUSED_MS)) sessions.delete(name)
  for (const partition of held) if (!consuming.has(partition)) await orStoreError(`read partition ${partition}`, () => consume(partition))
}

const ending = new Promise((resolve) => ['SIGINT', 'SIGTERM'].forEach((signal) => process.once(signal, () => resolve(true))))
const pause = () => new Promise((resolve) => setTimeout(resolve, nats.leaseMs / 4, false))
console.log(`worker ${worker}: ${NATS_URL}, ${PARTITIONS} partitions among all workers   (Ctrl-C ends)`)
do await renew().catch(({ message }) => console.error(message)) // and again
while (!await Promise.race([ending, pause()]))

await Promise.all(Array.from(consuming.keys(), giveBack))
await leases.end()
await nats.connection.drain()
