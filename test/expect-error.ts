import { expect } from 'vitest'
import { LstmError, type LstmErrorCode } from '../src/errors.ts'

/** The error `run` throws, which must be an LstmError of this code and exactly this text (or match it). */
export function expectError(run: () => unknown, code: LstmErrorCode, message: string | RegExp): LstmError {
  let error: unknown
  try {
    run()
  } catch (caught) {
    error = caught
  }
  return check(error, code, message)
}

/** The same of a promise. */
export async function expectRejection(promise: Promise<unknown>, code: LstmErrorCode, message: string | RegExp): Promise<LstmError> {
  const error = await promise.then(() => undefined, (caught: unknown) => caught)
  return check(error, code, message)
}

function check(error: unknown, code: LstmErrorCode, message: string | RegExp): LstmError {
  if (!(error instanceof LstmError)) throw new Error(`expected an LstmError ${code}, got ${String(error)}`, { cause: error })
  if (typeof message === 'string') expect({ code: error.code, message: error.message }).toEqual({ code, message })
  else {
    expect(error.message).toMatch(message)
    expect(error.code).toBe(code)
  }
  return error
}
