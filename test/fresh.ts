// Modules anew for the test file that follows, in a process that has run others: what those made known is forgotten.
import { vi } from 'vitest'

vi.resetModules()
