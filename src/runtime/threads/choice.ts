/** Calls that are measured before the first trial: the first of them finds cold caches, and does not count. */
const FIRST_CALLS = 3
/** Calls of a trial. The first of them wakes threads and warms their caches, and does not count. */
const TRIAL_CALLS = 4
/** A trial ends at once with a call that takes so many times as long as one thread does. */
const HOPELESS = 1.5
/** More threads must take less than this part of the time of one. */
const WORTH_IT = 0.97
/** Calls until the next trial after one that failed: twice as many each time. */
const FIRST_PAUSE = 16
const LONGEST_PAUSE = 1024
/** After so many calls with more threads, the time of one thread is measured again: a machine may be faster or slower by then. */
const REFRESH_AFTER = 256
const REFRESH_CALLS = 2
/** After so many calls that were worth it, what was before is forgotten: the next pause is short. */
const GOOD_CALLS = 32
/** Weight of the newest call in a mean. */
const NEWEST = 0.1

/**
 * Whether a call is shared with other threads: what has been faster. A worker may sleep, or its core may be busy with something else, and
 * nothing but time tells. Both ways are tried; the slower one again after a pause, which doubles each time that it is still slower.
 */
export class Choice {
  #alone = NaN
  #shared = NaN
  /** Calls that are still to come of this phase; see `next`. */
  #left = FIRST_CALLS
  #phase: 'alone' | 'trial' | 'shared' | 'refresh' = 'alone'
  #pause = FIRST_PAUSE
  #trial = 0

  /** Whether the call that comes is shared. */
  get isShared(): boolean {
    return this.#phase === 'trial' || this.#phase === 'shared'
  }

  /**
   * Whether the call that comes is one of a pause that need not be timed; it is counted. A look at the clock costs a call some 5 us after a sleep, when
   * no cache knows of it: only the last calls of a pause are timed.
   */
  skips(): boolean {
    if (this.#phase !== 'alone' || this.#left <= FIRST_CALLS) return false
    this.#left--
    return true
  }

  /** To be told how long the call took, in any unit. */
  took(time: number): void {
    this.#left--
    switch (this.#phase) {
      case 'alone':
        this.#alone = mean(this.#alone, time, this.#left === FIRST_CALLS - 1 && Number.isNaN(this.#shared))
        if (this.#left <= 0) this.#begin('trial', TRIAL_CALLS)
        break
      case 'refresh':
        this.#alone = this.#left === REFRESH_CALLS - 1 ? time : Math.min(this.#alone, time)
        if (this.#left <= 0) this.#begin('shared', REFRESH_AFTER)
        break
      case 'trial':
        this.#shared = this.#left === TRIAL_CALLS - 1 ? NaN : time
        if (this.#left < TRIAL_CALLS - 1) this.#trial += time
        if (time > HOPELESS * this.#alone && this.#left < TRIAL_CALLS - 1) this.#giveUp()
        else if (this.#left <= 0) this.#judge()
        break
      case 'shared':
        this.#shared = mean(this.#shared, time, false)
        if (REFRESH_AFTER - this.#left === GOOD_CALLS) this.#pause = FIRST_PAUSE
        if (this.#shared > WORTH_IT * this.#alone) this.#giveUp()
        else if (this.#left <= 0) this.#begin('refresh', REFRESH_CALLS)
    }
  }

  #judge(): void {
    this.#shared = this.#trial / (TRIAL_CALLS - 1)
    if (this.#shared > WORTH_IT * this.#alone) this.#giveUp()
    else this.#begin('shared', REFRESH_AFTER)
  }

  #giveUp(): void {
    this.#begin('alone', this.#pause)
    this.#shared = 0
    this.#pause = Math.min(LONGEST_PAUSE, 2 * this.#pause)
  }

  #begin(phase: 'alone' | 'trial' | 'shared' | 'refresh', calls: number): void {
    this.#phase = phase
    this.#left = calls
    this.#trial = 0
  }
}

/** `isFirst`: the next one replaces it. */
function mean(before: number, time: number, isFirst: boolean): number {
  return isFirst ? NaN : Number.isNaN(before) ? time : before + (time - before) * NEWEST
}
