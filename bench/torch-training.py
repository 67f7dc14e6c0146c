"""Milliseconds of a training step in PyTorch, on one thread: the cases of bench/bench-training.ts. npm run bench:torch; needs PyTorch."""
import time

import torch

torch.set_num_threads(1)
torch.manual_seed(7)
CASES = [('B128 T28 F28 H32', 128, 28, 28, 32, 10, False), ('B128 T28 F28 H128', 128, 28, 28, 128, 10, False), ('char-RNN B32 T64 F64 H256', 32, 64, 64, 256, 65, True),
         ('B128 T28 F1 H128', 128, 28, 1, 128, 10, False)]
for name, batch, steps, features, units, classes, every in CASES:
    lstm, dense = torch.nn.LSTM(features, units, batch_first=True), torch.nn.Linear(units, classes)
    optimizer = torch.optim.Adam([*lstm.parameters(), *dense.parameters()])
    x, y = torch.rand(batch, steps, features) * 2 - 1, torch.randint(classes, (batch * steps if every else batch,))
    times = []
    for _ in range(15):
        begin = time.perf_counter()
        optimizer.zero_grad()
        hidden, _ = lstm(x)
        logits = dense(hidden if every else hidden[:, -1]).reshape(-1, classes)
        torch.nn.functional.cross_entropy(logits, y).backward()
        optimizer.step()
        times.append(time.perf_counter() - begin)
    print(f'train {name}: {sorted(times)[len(times) // 2] * 1e3:.2f} ms')
print('PyTorch', torch.__version__, torch.backends.cpu.get_cpu_capability())
