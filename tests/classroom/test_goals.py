"""Goals tick themselves once the learner causes the condition, and stay ticked."""
from classroom import goal, goals, progress


def test_a_goal_waits_for_its_variable_and_its_condition(screen):
    with screen():
        goal("00-slow", "Make it slow.", lambda wait: wait > 100)
    with screen() as seen:
        goals.try_goals({})
        goals.try_goals({"wait": 5})
    assert not seen.outputs and not progress.get("goals", "00-slow")
    with screen() as seen:
        goals.try_goals({"wait": 500})
        goals.try_goals({"wait": 500})
    shown = [output.data["text/plain"] for output in seen.outputs]
    assert shown == ["☑ Goal reached. Make it slow."] * 2  # where it stands, and where the learner is
    assert progress.get("goals", "00-slow")["reached"]


def test_a_reached_goal_stays_reached(show):
    assert "☐ Goal. " in show(goal, "00-slow", "Make it slow.", lambda wait: wait > 100)[1]
    goals.try_goals({"wait": 500})
    goals.open_goals.clear()  # as after a restart
    assert "☑ Goal reached." in show(goal, "00-slow", "Make it slow.", lambda wait: False)[1]
    assert not goals.open_goals


def test_cells_are_watched(screen):
    from IPython import get_ipython
    with screen():
        goal("00-slow", "Make it slow.", lambda wait: wait > 100)
        get_ipython().run_cell("wait = 99")
        assert "00-slow" in goals.open_goals
        get_ipython().run_cell("wait = 101")
    assert progress.get("goals", "00-slow")


def test_a_condition_known_now_ticks_at_once(show):
    assert "☑" in show(goal, "00-now", "Be here.", True)[1]
    assert "☐" in show(goal, "00-not-now", "Be there.", False)[1]


def test_a_goal_is_not_met_by_a_variable_of_another_kind(screen):
    with screen():
        goal("00-other", "Lose one.", lambda run: run.losses > 0)
    goals.try_goals({"run": 5})
    assert "00-other" in goals.open_goals
