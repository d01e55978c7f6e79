"""Doubles that tests share: a fake cable between two real sessions, a fake clock, scripted peers."""
