"""Write golden_cells.h: recurrent layers of PyTorch, forward and backward, in
the engine's layout. Needs torch==2.13.0; the header is committed.

    python3 test/unit/make_golden_cells.py > test/unit/golden_cells.h
"""
import torch

torch.manual_seed(20)
torch.set_default_dtype(torch.float64)
T, B, I, H = 5, 2, 3, 4


def blocks(x, order):
    """Gates of PyTorch in the engine's order."""
    parts = x.detach().chunk(len(x) // H)
    return torch.cat([parts[i] for i in order])


def show(name, x):
    flat = ["%.12g" % v for v in x.detach().reshape(-1).tolist()]
    lines = [", ".join(flat[i:i + 5]) for i in range(0, len(flat), 5)]
    print("\t.%s = {\n\t\t%s\n\t}," % (name, ",\n\t\t".join(lines)))


def bias(net, kind, grad):
    """The engine adds one bias where PyTorch adds two; the GRU keeps b_hn."""
    b_ih, b_hh = net.bias_ih_l0, net.bias_hh_l0
    if grad:
        # Both of a sum have the gradient of the sum.
        b_ih, b_hh = b_ih.grad, b_hh.grad
        if kind == "gru":
            return torch.cat([blocks(b_ih, (2, 0, 1)), blocks(b_hh, (2,))])
        return b_ih
    if kind == "gru":
        both = b_ih + b_hh
        return torch.cat([blocks(b_ih, (2,)), blocks(both, (0, 1)), blocks(b_hh, (2,))])
    return b_ih + b_hh


def golden(title, kind, net, steps):
    x = torch.randn(steps, B, I, requires_grad=True)
    h0 = torch.randn(1, B, H, requires_grad=True)
    c0 = torch.randn(1, B, H, requires_grad=True)
    dy = torch.randn(steps, B, H)
    y, _ = net(x, (h0, c0) if kind == "lstm" else h0)
    y.backward(dy)
    # LSTM [i f g o] is PyTorch's order; its GRU is [r z n], ours n r z | r z n.
    ih, hh = {"lstm": ((0, 1, 2, 3),) * 2, "gru": ((2, 0, 1), (0, 1, 2)),
              "elman": ((0,), (0,))}[kind]
    print("{\n\t.title = \"%s\", .cell = RNN_%s, .activation = %s, .T = %d,"
          % (title, kind.upper(), "RNN_RELU" if "relu" in title else "RNN_TANH", steps))
    show("x", x)
    show("h0", h0)
    if kind == "lstm":
        show("c0", c0)
    show("w_ih", blocks(net.weight_ih_l0, ih))
    show("w_hh", blocks(net.weight_hh_l0, hh))
    show("bias", bias(net, kind, False))
    show("y", y)
    show("dy", dy)
    show("dx", x.grad)
    show("dh0", h0.grad)
    show("dw_ih", blocks(net.weight_ih_l0.grad, ih))
    show("dw_hh", blocks(net.weight_hh_l0.grad, hh))
    show("dbias", bias(net, kind, True))
    print("},")


print("/* golden_cells.h: made by make_golden_cells.py from PyTorch %s. */"
      % torch.__version__.split("+")[0])
for steps in (1, T):
    golden("elman tanh", "elman", torch.nn.RNN(I, H), steps)
    golden("elman relu", "elman", torch.nn.RNN(I, H, nonlinearity="relu"), steps)
    golden("gru", "gru", torch.nn.GRU(I, H), steps)
    golden("lstm", "lstm", torch.nn.LSTM(I, H), steps)
