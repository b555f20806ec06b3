"""Mistakes that type checkers find: in every line that is marked, and in no other."""

import rushlight as torch
from rushlight import nn

x = torch.ones(2, 3)
x.sum(dim="rows")  # wrong
x.no_such_method()  # wrong
torch.zeros("two")  # wrong
torch.add(x)  # wrong
torch.no_such_function(x)  # wrong
x.view(3, 2).size(0).upper()  # wrong
nn.Linear(2)  # wrong
nn.Linear("2", 3)  # wrong
torch.optim.SGD([x], lr="fast")  # wrong
torch.autograd.grad(x.sum(), x, create_graph="yes")  # wrong
with torch.no_grad():
    y = x * 2
with torch.no_grad("now"):  # wrong
    y = x * 2
torch.cat(x, dim="rows")  # wrong
