// What the workers and their clients agree on in NATS JetStream:
//
//   stream FRAMES    frames.PARTITION.NAME   the log: frames that no saved state has seen yet; acknowledged ones are deleted
//   stream OUTPUTS   outputs.NAME            outputs of the last day, each once, in order
//   subject          errors.NAME             what is wrong with frames, as JSON; not kept
//   bucket           session-states          saved sessions by name
//   bucket           session-leases          which worker has which partition; entries vanish unless renewed
import { JetStreamApiCodes, JetStreamApiError, jetstream, jetstreamManager, RetentionPolicy } from '@nats-io/jetstream'
import { Kvm } from '@nats-io/kv'
import { connect, nanos } from '@nats-io/transport-node'
import { readRun } from '../../messages.mjs'
import { partitionOf } from '../../partition.mjs'
import { retry } from '../../retry.mjs'
import { SessionError } from '../../session-error.mjs'

/** More than there will ever be workers: it cannot be changed while frames are in the log. */
export const PARTITIONS = 16
const DAY_MS = 24 * 60 * 60 * 1000
export const REQUEST_MS = 2000
const PATIENCE_MS = 30_000
/** How long a request for messages holds; after half of it without a sign of the server, it is made again. */
export const PULL_MS = 4000

export const frameSubject = (name) => `frames.${partitionOf(name, PARTITIONS)}.${name}`
export const outputSubject = (name) => `outputs.${name}`
export const errorSubject = (name) => `errors.${name}`
/** The name of a session in a subject. */
export const nameIn = (subject) => subject.split('.').at(-1)

/** A connection that waits for a server which has gone. @param options of `connect` */
export function connectTo(servers, options) {
  return connect({ servers, maxReconnectAttempts: -1, reconnectTimeWait: 250, timeout: REQUEST_MS, ...options })
}

/**
 * A connection that waits for a server which is not there, at the beginning and later, and what is in it.
 *
 * @param {string} servers
 * @param {number} leaseMs after which a worker that says nothing has lost its partitions
 * @throws SessionError `STORE` where a stream or bucket cannot be made
 */
export async function openJetStream(servers, leaseMs = 3000) {
  const connection = await connectTo(servers, { waitOnFirstConnect: true })
  return retry(() => orStoreError('set up JetStream', async () => {
    const manager = await jetstreamManager(connection, { timeout: REQUEST_MS })
    await manager.streams.add({ name: 'FRAMES', subjects: ['frames.>'], retention: RetentionPolicy.Workqueue })
    await manager.streams.add({ name: 'OUTPUTS', subjects: ['outputs.>'], max_age: nanos(DAY_MS) })
    const js = jetstream(connection, { timeout: REQUEST_MS })
    const buckets = new Kvm(js)
    // Replicas that are behind may not answer: a worker that takes over must see what was saved last.
    const states = await buckets.create('session-states', { allow_direct: false })
    const leases = await buckets.create('session-leases', { allow_direct: false, ttl: leaseMs })
    return { connection, manager, js, states, leases, leaseMs }
  }), PATIENCE_MS)
}

/** What NATS refuses or does not answer, as a SessionError: `TAKEN` where another one has written since, else `STORE`. */
export async function orStoreError(what, work) {
  try {
    return await work()
  } catch (cause) {
    if (cause instanceof SessionError) throw cause
    const isTaken = cause instanceof JetStreamApiError
      && (cause.code === JetStreamApiCodes.StreamWrongLastSequence || cause.code === JetStreamApiCodes.StreamWrongLastSequenceUnknown)
    throw new SessionError(isTaken ? 'TAKEN' : 'STORE', `NATS: cannot ${what}: ${isTaken ? 'another one has written since' : cause.message}`, { cause })
  }
}

/**
 * The last frames or outputs of a session that are in a stream.
 *
 * @returns {Promise<{ sequence: number, streamSequence: number }>} sequence: the last one, 0 if there are none; streamSequence: of their message
 */
export function lastRun(manager, stream, subject, sizes) {
  return orStoreError(`read ${stream}`, async () => {
    const message = await manager.streams.getMessage(stream, { last_by_subj: subject })
    if (message === null) return { sequence: 0, streamSequence: 0 }
    const { sequence, arrays } = readRun(message.data, sizes)
    return { sequence: sequence + arrays.length - 1, streamSequence: message.seq }
  })
}

/** @returns {import('../../states.mjs').States} saved sessions in a bucket */
export function natsStates(bucket) {
  return {
    get: (name) => orStoreError(`read session '${name}'`, async () => {
      const entry = await bucket.get(name)
      return entry?.operation === 'PUT' ? { bytes: entry.value, revision: entry.revision } : undefined
    }),
    put: (name, bytes, revision) => orStoreError(`save session '${name}'`, () => (
      revision === undefined ? bucket.create(name, bytes) : bucket.update(name, bytes, revision)
    )),
  }
}
