"""Incident-response playbooks for suspected serverless command and control."""

__version__ = "0.1.0"
