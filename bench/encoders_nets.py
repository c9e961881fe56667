"""The networks that bench/encoders times, as lists of layers.

A node is a dict: its operation, the numbers of the nodes it reads, its sizes. Node 0 is the picture.
Classifiers are left out: a captioner has none.
"""

RELU, RELU6 = 1, 2


class Net:
    def __init__(self, size):
        self.nodes = [dict(op="input", h=size, w=size, c=3)]

    def put(self, op, src, kh, kw, stride, pads, c, **more):
        """pads: top, left, bottom, right."""
        at = self.nodes[src]
        h = (at["h"] + pads[0] + pads[2] - kh) // stride + 1
        w = (at["w"] + pads[1] + pads[3] - kw) // stride + 1
        self.nodes.append(dict(op=op, src=[src], kh=kh, kw=kw, stride=stride, pads=list(pads), h=h, w=w, c=c, **more))
        return len(self.nodes) - 1

    def conv(self, src, c, k, stride=1, pad=None, act=RELU, add=-1):
        kh, kw = (k, k) if isinstance(k, int) else k
        pads = (kh // 2, kw // 2, kh // 2, kw // 2) if pad is None else (pad,) * 4
        return self.put("conv", src, kh, kw, stride, pads, c, act=act, add=add)

    def pool(self, src, op, k, stride, pad=0):
        return self.put(op, src, k, k, stride, (pad,) * 4, self.nodes[src]["c"])

    def concat(self, *src):
        at = self.nodes[src[0]]
        self.nodes.append(dict(op="concat", src=list(src), h=at["h"], w=at["w"], c=sum(self.nodes[i]["c"] for i in src)))
        return len(self.nodes) - 1


def vgg16():
    net, x = Net(224), 0
    for channels, count in ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3)):
        for _ in range(count):
            x = net.conv(x, channels, 3)
        if net.nodes[x]["h"] > 14:  # captioners read the last convolution
            x = net.pool(x, "max", 2, 2)
    return net


def resnet50():
    """Strides are at the 3x3 convolutions, as in torchvision."""
    net = Net(224)
    x = net.pool(net.conv(0, 64, 7, 2), "max", 3, 2, 1)
    for stage, blocks in enumerate((3, 4, 6, 3)):
        width = 64 << stage
        for block in range(blocks):
            stride = 2 if block == 0 and stage > 0 else 1
            y = net.conv(net.conv(x, width, 1), width, 3, stride)
            if block == 0:
                x = net.conv(x, 4 * width, 1, stride, act=0)
            x = net.conv(y, 4 * width, 1, add=x)
    return net


def inception_v3():
    """As in torchvision."""
    net = Net(299)
    conv, valid = net.conv, 0

    def chain(x, *layers):
        for c, k in layers:
            x = conv(x, c, k)
        return x

    def pooled(x, c):
        return conv(net.pool(x, "average", 3, 1, 1), c, 1)

    x = conv(conv(conv(0, 32, 3, 2, valid), 32, 3, 1, valid), 64, 3)
    x = conv(conv(net.pool(x, "max", 3, 2), 80, 1), 192, 3, 1, valid)
    x = net.pool(x, "max", 3, 2)
    for c in (32, 64, 64):
        x = net.concat(conv(x, 64, 1), chain(x, (48, 1), (64, 5)), chain(x, (64, 1), (96, 3), (96, 3)), pooled(x, c))
    x = net.concat(conv(x, 384, 3, 2, valid), conv(chain(x, (64, 1), (96, 3)), 96, 3, 2, valid), net.pool(x, "max", 3, 2))
    for c in (128, 160, 160, 192):
        x = net.concat(conv(x, 192, 1), chain(x, (c, 1), (c, (1, 7)), (192, (7, 1))),
                       chain(x, (c, 1), (c, (7, 1)), (c, (1, 7)), (c, (7, 1)), (192, (1, 7))), pooled(x, 192))
    x = net.concat(conv(conv(x, 192, 1), 320, 3, 2, valid),
                   conv(chain(x, (192, 1), (192, (1, 7)), (192, (7, 1))), 192, 3, 2, valid), net.pool(x, "max", 3, 2))
    for _ in range(2):
        y, z = conv(x, 384, 1), chain(x, (448, 1), (384, 3))
        x = net.concat(conv(x, 320, 1), conv(y, 384, (1, 3)), conv(y, 384, (3, 1)),
                       conv(z, 384, (1, 3)), conv(z, 384, (3, 1)), pooled(x, 192))
    return net


def efficientnet_lite(size, widths, repeats):
    """Named as the tensors of package encoder are; padding as TensorFlow's SAME."""
    net = Net(size)

    def put(op, src, name, c, k, stride, act, add=-1):
        total = max((-(-net.nodes[src]["h"] // stride) - 1) * stride + k - net.nodes[src]["h"], 0)
        a = total // 2
        return net.put(op, src, k, k, stride, (a, a, total - a, total - a), c, act=act, add=add, name=name)

    stages = ((3, 1, 1), (3, 2, 6), (5, 2, 6), (3, 2, 6), (5, 1, 6), (5, 2, 6), (3, 1, 6))
    x = put("conv", 0, "stem", 32, 3, 2, RELU6)
    for s, (kernel, first, expand) in enumerate(stages):
        for b in range(repeats[s]):
            stride, c, y = first if b == 0 else 1, net.nodes[x]["c"], x
            if expand > 1:
                y = put("conv", y, f"stages.{s}.{b}.expand", c * expand, 1, 1, RELU6)
            y = put("depthwise", y, f"stages.{s}.{b}.depthwise", c * expand, kernel, stride, RELU6)
            keep = stride == 1 and c == widths[s]
            x = put("conv", y, f"stages.{s}.{b}.project", widths[s], 1, 1, 0, x if keep else -1)
    put("conv", x, "head", 1280, 1, 1, RELU6)
    return net


NETS = {
    "vgg16": vgg16,
    "resnet50": resnet50,
    "inception_v3": inception_v3,
    "efficientnet_lite0": lambda: efficientnet_lite(224, (16, 24, 40, 80, 112, 192, 320), (1, 2, 2, 3, 3, 4, 1)),
    "efficientnet_lite2": lambda: efficientnet_lite(260, (16, 24, 48, 88, 120, 208, 352), (1, 3, 3, 4, 4, 5, 1)),
}


def layers(net):
    """The distinct convolutions of a net and how often each occurs."""
    found = {}
    for n in net.nodes:
        if n["op"] in ("conv", "depthwise"):
            at = net.nodes[n["src"][0]]
            key = (n["op"], at["h"], at["w"], at["c"], n["kh"], n["kw"], n["stride"], tuple(n["pads"]), n["c"], n["act"], n["add"] >= 0)
            found[key] = found.get(key, 0) + 1
    return found


def alone(key):
    """One layer as a net."""
    op, h, w, c, kh, kw, stride, pads, out, act, residual = key
    net = Net(h)
    net.nodes[0].update(h=h, w=w, c=c)
    net.put(op, 0, kh, kw, stride, pads, out, act=act, add=-1)
    if residual:
        layer = net.nodes.pop()
        net.nodes += [dict(op="input", h=layer["h"], w=layer["w"], c=out), dict(layer, add=1)]
    return net


def multiplications(net):
    return sum(n["h"] * n["w"] * n["c"] * n["kh"] * n["kw"] * (1 if n["op"] == "depthwise" else net.nodes[n["src"][0]]["c"])
               for n in net.nodes if n["op"] in ("conv", "depthwise"))
