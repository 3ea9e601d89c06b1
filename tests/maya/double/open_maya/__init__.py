"""maya.api.OpenMaya and OpenMayaAnim, the part in use.

Pages: help.autodesk.com/cloudhelp/2025/ENU/MAYA-API-REF/py_ref/class_open_maya_1_1_<name>.html and
class_open_maya_anim_1_1_<name>.html. Values are in inner units: centimetres, radians. Edits are not
undoable unless a modifier or an MAnimCurveChange keeps them.
"""
