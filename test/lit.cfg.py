import os
import subprocess

import lit.formats

config.name = "dojo"
config.test_format = lit.formats.ShTest(execute_external=False)
config.suffixes = [".mlir", ".test"]
config.excludes = ["Inputs"]
config.test_source_root = os.path.dirname(__file__)
config.test_exec_root = os.path.join(config.build_dir, "test")
config.environment["PATH"] = os.pathsep.join(
    [os.path.join(config.build_dir, "bin"), config.llvm_tools_dir, config.environment["PATH"]])
config.substitutions.append(("%python", config.python))
config.substitutions.append(("%models", os.path.join(config.test_source_root, "Inputs", "models.py")))
config.substitutions.append(("%page", f"{config.python} {config.test_source_root}/Inputs/page.py"))
config.substitutions.append(("%mlir_tblgen", os.path.join(config.llvm_tools_dir, "mlir-tblgen")))
config.substitutions.append(("%build", config.build_dir))
config.substitutions.append(("%run_on_host", os.path.join(config.test_source_root, "Inputs", "run_on_host.py")))
try:
    subprocess.run([config.python, "-c", "import onnx, onnxruntime"], check=True, capture_output=True)
except (OSError, subprocess.CalledProcessError):
    lit_config.fatal(f"{config.python} cannot import onnx and onnxruntime; run scripts/check, or set DOJO_PYTHON")
