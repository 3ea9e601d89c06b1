"""Maya runs this when it starts, once for each module: what touches the window waits until there is one."""

import maya.utils


def _shelf():
    from maya import cmds

    if cmds.about(batch=True):
        return
    try:
        from pose_from_video.host import shelf
    except ImportError as error:
        cmds.warning("Pose from Video: {}".format(error))
    else:
        shelf.refresh()


maya.utils.executeDeferred(_shelf)
