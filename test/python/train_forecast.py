"""Trains the forecast of the site's playground: from the load of past hours, the load of the next one.

    python test/python/train_forecast.py docs/site/models

The series is made of formulas: a working day with two peaks, quieter weekends, a year, and noise that lingers. Writes forecast.safetensors
(PyTorch's names) and forecast.npy, a week that the model has not seen.
"""
import sys
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file

HOURS_A_WEEK = 168
UNITS = 24


def make_load(hours: int, seed: int) -> np.ndarray:
    random = np.random.default_rng(seed)
    hour = np.arange(hours)
    time = hour % 24
    weekend = (hour // 24) % 7 >= 5
    day = 0.7 * np.exp(-((time - 9) / 2.5) ** 2) + np.exp(-((time - 19) / 2.5) ** 2) - 0.4
    year = 0.15 * np.cos(2 * np.pi * hour / (24 * 365.25))
    noise = np.zeros(hours)
    for n in range(1, hours):
        noise[n] = 0.9 * noise[n - 1] + 0.03 * random.standard_normal()
    return (np.where(weekend, 0.5 * day - 0.15, day) + year + noise).astype(np.float32)


class Forecast(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = torch.nn.LSTM(1, UNITS, batch_first=True)
        self.fc = torch.nn.Linear(UNITS, 1)

    def forward(self, x):
        return self.fc(self.lstm(x)[0])


def main(folder: Path) -> None:
    torch.manual_seed(7)
    torch.set_num_threads(1)
    series = torch.from_numpy(make_load(24 * 365 * 2, 1))
    model = Forecast()
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 400)
    for step in range(400):
        begins = torch.randint(0, len(series) - 2 * HOURS_A_WEEK - 1, (16,)).tolist()
        x = torch.stack([series[begin:begin + 2 * HOURS_A_WEEK + 1] for begin in begins]).unsqueeze(-1)
        loss = torch.nn.functional.mse_loss(model(x[:, :-1])[:, 24:], x[:, 25:])
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1)
        optimizer.step()
        schedule.step()
        if step % 50 == 0:
            print(step, loss.item(), flush=True)
    unseen = torch.from_numpy(make_load(24 * 365, 2))[1000:1000 + 2 * HOURS_A_WEEK].reshape(1, -1, 1)
    with torch.no_grad():
        guess = model(unseen[:, :-1])[:, 24:]
        error = torch.sqrt(torch.mean((guess - unseen[:, 25:]) ** 2)).item()
        naive = torch.sqrt(torch.mean((unseen[:, 24:-1] - unseen[:, 25:]) ** 2)).item()
    print(f'unseen: error {error:.4f}; the hour before as the guess: {naive:.4f}')
    folder.mkdir(parents=True, exist_ok=True)
    save_file({name: tensor.contiguous() for name, tensor in model.state_dict().items()}, folder / 'forecast.safetensors')
    np.save(folder / 'forecast.npy', unseen[:, :HOURS_A_WEEK].numpy())


main(Path(sys.argv[1]))
