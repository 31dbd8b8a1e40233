"""Three packages that know Slack's limits, each asked whether it would send what we render.

Each builds the payload from its own objects, whose constructors refuse what Slack would; what comes
out has to be what went in, so that nothing was dropped on the way.
"""

import json

import blockkit
import slackblocks
from slack_sdk.models.blocks import Block
from slack_sdk.models.views import View

_BLOCKKIT = {
    "header": blockkit.Header,
    "section": blockkit.Section,
    "context": blockkit.Context,
    "actions": blockkit.Actions,
    "divider": blockkit.Divider,
    "input": blockkit.Input,
    "button": blockkit.Button,
    "static_select": blockkit.StaticSelect,
    "radio_buttons": blockkit.RadioButtons,
    "users_select": blockkit.UsersSelect,
    "datetimepicker": blockkit.DatetimePicker,
    "plain_text_input": blockkit.PlainTextInput,
}
_SLACKBLOCKS = {
    "header": slackblocks.HeaderBlock,
    "section": slackblocks.SectionBlock,
    "context": slackblocks.ContextBlock,
    "actions": slackblocks.ActionsBlock,
    "divider": slackblocks.DividerBlock,
    "input": slackblocks.InputBlock,
    "button": slackblocks.Button,
    "static_select": slackblocks.StaticSelectMenu,
    "radio_buttons": slackblocks.RadioButtonGroup,
    "users_select": slackblocks.UserSelectMenu,
    "datetimepicker": slackblocks.DateTimePicker,
    "plain_text_input": slackblocks.PlainTextInput,
}
_RENAMED = {"initial_date_time": "initial_datetime"}


def slack_sdk_takes(*, message=None, view=None):
    """Have Slack's own package validate a message's blocks, or a view."""
    if view is not None:
        View(**view).validate_json()
        return True
    for block in Block.parse_all(message["blocks"]):
        block.validate_json()
    return True


def blockkit_takes(*, message=None, view=None):
    """Have blockkit build a message or a view anew, and say whether it comes out the same."""
    part = message or view
    built = [_with_blockkit(block) for block in part["blocks"]]
    if message is not None:
        found = blockkit.Message(text=message["text"], blocks=built).build()
    elif view["type"] == "home":
        found = blockkit.Home(blocks=built, callback_id=view["callback_id"]).build()
    else:
        parts = {name: _with_blockkit(view[name]) for name in ("title", "submit", "close")}
        found = blockkit.Modal(
            blocks=built, callback_id=view["callback_id"],
            private_metadata=view["private_metadata"], **parts,
        ).build()  # fmt: skip
    return found["blocks"] == part["blocks"]


def slackblocks_takes(*, message=None, view=None):
    """Have slackblocks build a message or a view anew, and say whether all its texts come out."""
    part = message or view
    built = [_with_slackblocks(block) for block in part["blocks"]]
    if message is not None:
        found = slackblocks.Message("D01DANA", text=message["text"], blocks=built).to_dict()
    elif view["type"] == "home":
        found = slackblocks.HomeTabView(blocks=built, callback_id=view["callback_id"]).to_dict()
    else:
        parts = {name: _with_slackblocks(view[name]) for name in ("title", "submit", "close")}
        found = slackblocks.ModalView(
            blocks=built, callback_id=view["callback_id"],
            private_metadata=view["private_metadata"], **parts,
        ).to_dict()  # fmt: skip
    blocks = json.loads(json.dumps(found["blocks"], default=lambda one: one._resolve()))
    return list(texts(blocks)) == list(texts(part["blocks"]))


def texts(part):
    """Yield every text of a payload, in order of block and key."""
    if isinstance(part, list):
        for each in part:
            yield from texts(each)
    elif isinstance(part, dict):
        if isinstance(part.get("text"), str):
            yield part["text"]
        for key in sorted(part):
            yield from texts(part[key])


def _with_blockkit(part):
    if isinstance(part, list):
        return [_with_blockkit(each) for each in part]
    if not isinstance(part, dict):
        return part
    if part.get("type") in {"plain_text", "mrkdwn"}:
        return blockkit.Text(**part)
    inner = {key: _with_blockkit(value) for key, value in part.items() if key != "type"}
    return _BLOCKKIT[part["type"]](**inner) if "type" in part else blockkit.Option(**inner)


def _with_slackblocks(part):
    if isinstance(part, list):
        return [_with_slackblocks(each) for each in part]
    if not isinstance(part, dict):
        return part
    if part.get("type") in {"plain_text", "mrkdwn"}:
        kind = slackblocks.TextType(part["type"])
        about = {key: part[key] for key in ("emoji", "verbatim") if key in part}
        return slackblocks.Text(part["text"], type_=kind, **about)
    inner = {
        _RENAMED.get(key, key): _with_slackblocks(value)
        for key, value in part.items()
        if key != "type"
    }
    return _SLACKBLOCKS[part["type"]](**inner) if "type" in part else slackblocks.Option(**inner)
