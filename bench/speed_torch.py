"""Time one recurrent layer of PyTorch, forward and backward with gradients of
inputs and weights, on one thread. Speaks the protocol of speed.c."""
import sys
import time

import torch

torch.set_num_threads(1)


def make(cell, hidden):
    kind = {"lstm": torch.nn.LSTM, "gru": torch.nn.GRU, "elman": torch.nn.RNN}
    return kind[cell](hidden, hidden)


def best(call):
    """Best time of a call, over a tenth of a second and at least three calls."""
    start, least, count = time.process_time(), 1e30, 0
    while count < 3 or time.process_time() - start < 0.1:
        t = time.process_time()
        call()
        least = min(least, time.process_time() - t)
        count += 1
    return least


def layer(cell, hidden, batch, steps):
    torch.manual_seed(1)
    net = make(cell, hidden)
    x = torch.randn(steps, batch, hidden, requires_grad=True)
    dy = torch.randn(steps, batch, hidden)
    wanted = [x] + list(net.parameters())

    def call():
        y, _ = net(x)
        torch.autograd.grad(y, wanted, dy)

    return best(call)


print(torch.__version__, flush=True)
for line in sys.stdin:
    cell, *sizes = line.split()
    print("%.9f" % layer(cell, *map(int, sizes)), flush=True)
