import { makeTrainingData, TRAINING_CASES } from './build/bench/training/cases.js'
import { ownStepper } from './build/bench/training/steppers.js'
const one = TRAINING_CASES.find(c=>c.name.includes(process.argv[2]))
const s = await ownStepper(one, makeTrainingData(one), process.argv[4]??'relaxed-simd')
for(let i=0;i<30;i++) await s.step()
const n=+process.argv[3]; const t=performance.now(); const each=[]
for(let i=0;i<n;i++){const b=performance.now();await s.step();each.push(performance.now()-b)}
each.sort((a,b)=>a-b);console.log(one.name,'mean',(performance.now()-t)/n,'median',each[n>>1],'p10',each[n/10|0])
process.exit(0)
