"""Staff commands, `alertes …`: thin, with French help and French output."""
