"""The networks of encoders_nets as ONNX graphs."""
import numpy as np
from onnx import TensorProto, helper, numpy_helper

from encoders_nets import RELU, RELU6


def random_weights(net, rng):
    """(kh, kw, in, out) and bias of each convolution; those added to a residual are small."""
    weights = {}
    for i, n in enumerate(net.nodes):
        if n["op"] in ("conv", "depthwise"):
            c = 1 if n["op"] == "depthwise" else net.nodes[n["src"][0]]["c"]
            w = rng.standard_normal((n["kh"], n["kw"], c, n["c"]), np.float32) * np.float32(np.sqrt(2 / (n["kh"] * n["kw"] * c)))
            weights[i] = w * np.float32(0.3 if n["add"] >= 0 else 1), rng.standard_normal(n["c"], np.float32) * np.float32(0.1)
    return weights


def onnx_model(net, weights):
    nodes, constants, inputs = [], [numpy_helper.from_array(np.float32(v), k) for k, v in (("zero", 0), ("six", 6))], []

    def put(op, src, out, **attributes):
        nodes.append(helper.make_node(op, src, [out], name=out, **attributes))

    for i, n in enumerate(net.nodes):
        out, src = f"x{i}", [f"x{s}" for s in n.get("src", [])]
        window = dict(kernel_shape=[n.get("kh"), n.get("kw")], strides=[n.get("stride")] * 2, pads=n.get("pads"))
        if n["op"] == "input":
            inputs.append(helper.make_tensor_value_info(out, TensorProto.FLOAT, (1, n["c"], n["h"], n["w"])))
        elif n["op"] == "concat":
            put("Concat", src, out, axis=1)
        elif n["op"] == "max":
            put("MaxPool", src, out, **window)
        elif n["op"] == "average":
            put("AveragePool", src, out, count_include_pad=1, **window)
        else:
            w, b = weights[i]
            constants += [numpy_helper.from_array(np.ascontiguousarray(w.transpose(3, 2, 0, 1)), f"w{i}"), numpy_helper.from_array(b, f"b{i}")]
            group = n["c"] if n["op"] == "depthwise" else 1
            at = f"c{i}" if n["act"] or n["add"] >= 0 else out
            put("Conv", src + [f"w{i}", f"b{i}"], at, group=group, **window)
            if n["add"] >= 0:
                put("Add", [at, f"x{n['add']}"], f"a{i}" if n["act"] else out)
                at = f"a{i}"
            if n["act"] == RELU:
                put("Relu", [at], out)
            elif n["act"] == RELU6:
                put("Clip", [at, "zero", "six"], out)
    last = net.nodes[-1]
    shape = (1, last["c"], last["h"], last["w"])
    result = helper.make_tensor_value_info(f"x{len(net.nodes) - 1}", TensorProto.FLOAT, shape)
    graph = helper.make_graph(nodes, "net", inputs, [result], constants)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9).SerializeToString()
