import { Crew, CrewSettings } from './crew'
import { Found, isOffered, runOne, taskAt } from './tasks'
import { help } from './units'

/**
 * A worker's life: tasks and invitations, and sleep where there are none for a while. Returns 0 when the crew is over, 1 to be called again; or the
 * address of a list of calls: to be called again when they are made, after `taskDone`.
 */
export function serve(crew: Crew, thread: i32): i32 {
  const settings = crew.settings
  // Even: of no invitation that is open.
  let answered = atomic.load<i32>(crew.invitationPtr) & ~1
  // It looks at three words each time.
  const mostIdle = settings.idleMicroseconds * settings.looks / 3
  let idle = 0
  while (!atomic.load<i32>(changetype<usize>(settings), offsetof<CrewSettings>('isOver'))) {
    let found: i32 = runOne(crew, thread)
    const invitation = atomic.load<i32>(crew.invitationPtr)
    if (found == Found.nothing && invitation != answered && (invitation & 1) != 0) {
      answered = invitation
      found = help(crew, thread, invitation)
    }
    if (found == Found.newPages) return 1
    if (found >= Found.calls) return i32(taskAt(crew, found - Found.calls).call)
    if (found == Found.work) idle = 0
    if (++idle < mostIdle) continue
    idle = 0
    // The bell is read first, and work is looked for once more after it is said that this thread sleeps: whoever gives work out either
    // sees that it sleeps, and rings, or has given it out before that last look.
    const bell = atomic.load<i32>(crew.bellPtr)
    atomic.add<i32>(crew.sleepersPtr, 1)
    const last = atomic.load<i32>(crew.invitationPtr)
    if (!isOffered(atomic.load<i32>(crew.claimPtr)) && (last == answered || (last & 1) == 0)) atomic.wait<i32>(crew.bellPtr, bell, -1)
    atomic.sub<i32>(crew.sleepersPtr, 1)
  }
  return 0
}
