// What binaries with threads export besides the kernels of ../index.ts, and nothing else.
export { crewBytes, lookAt, ring, setBuffers } from './crew'
export { leadLstmF32 } from './lead'
export { addLayer, shareConvolveF32, shareGemmF32 } from './rows'
export { serve } from './serve'
export { awaitTasks, claimTask, offerTasks, runTasks, setCalls, taskDone } from './tasks'
export { unitsScratchBytes } from './units'
