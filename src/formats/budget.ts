import { LstmError } from '../errors.ts'

/** What reading a file may take: bytes of memory, and parts looked at. */
export interface Budget {
  /** @throws LstmError `FORMAT` when more memory is asked for than a file of this size can need */
  take(bytes: number, what: string): void
  /** @throws LstmError `FORMAT` when more parts are visited than a file of this size can have */
  visit(what: string): void
}

/**
 * Files that refer to themselves in circles, or to the same bytes again and again, or that inflate
 * without end are stopped: weights are rarely compressible, and every part of a file takes a few bytes.
 *
 * @param times so many times as much memory as the file has bytes may be taken, and `more` bytes
 */
export function checkedBudget(format: string, fileBytes: number, times: number = 8, more: number = 2 ** 25): Budget {
  const limit = times * fileBytes + more
  let taken = 0
  let visits = 0
  return {
    take(bytes, what) {
      taken += bytes
      if (!(taken <= limit)) {
        throw new LstmError('FORMAT', `${what}: a file of ${fileBytes} bytes that unpacks to more than ${limit} is not read`)
      }
    },
    visit(what) {
      visits++
      if (visits > fileBytes) throw new LstmError('FORMAT', `${format}: ${what}: the file refers to its own parts in a circle`)
    },
  }
}
