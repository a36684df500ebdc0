"""BatchNorm in eval mode is linear: it can be a part of the convolution before it."""

import copy
from itertools import pairwise

from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval


def fold_batchnorm(module: nn.Module) -> nn.Module:
    """Return the same function with fewer passes over memory; the module itself stays as it is.

    A BatchNorm2d in eval mode that follows a Conv2d in an `nn.Sequential` is folded into it (Jacob
    et al. 2018, arXiv:1712.05877, section 3.2). Where a network calls the two by name, as ResNet
    does, they stay apart. What is not folded is shared with the module.
    """
    folded = copy.copy(module)
    folded._modules = {
        name: None if child is None else fold_batchnorm(child)
        for name, child in module._modules.items()
    }
    if type(module).forward is nn.Sequential.forward:
        names = list(folded._modules)
        for first, second in pairwise(names):
            convolution, norm = folded._modules[first], folded._modules[second]
            if (
                type(convolution) is nn.Conv2d
                and type(norm) is nn.BatchNorm2d
                and norm.track_running_stats
                and not norm.training
            ):
                folded._modules[first] = fuse_conv_bn_eval(convolution, norm)
                folded._modules[second] = nn.Identity()
    return folded
