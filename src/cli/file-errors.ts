// Files that cannot be read or written, in words.
import { LstmError } from '../index.ts'

const REASONS: Readonly<Record<string, string>> = {
  EISDIR: 'it is a folder', EACCES: 'no permission', ENOSPC: 'the disk is full', EDQUOT: 'the quota of the disk is used up',
  EFBIG: 'it is too large for this disk', EROFS: 'the disk can only be read',
}

/**
 * Why the system refused.
 * @param missing what it means that there is nothing of the name: of a file that is written, that there is no such folder
 */
export function reasonOf(cause: unknown, missing: string = 'no such file'): string {
  const { code = '' } = cause as { code?: string }
  return code === 'ENOENT' ? missing : REASONS[code] ?? String(cause)
}

/** What the system says itself of a file that is there. @param name of the file, in quotes @returns LstmError `ENVIRONMENT` */
export function cannotRead(name: string, cause: unknown): LstmError {
  const reason = (cause as { code?: string }).code === 'ENOENT' ? 'no such file' : String(cause)
  return new LstmError('ENVIRONMENT', `cannot read ${name}: ${reason}`, { cause })
}
