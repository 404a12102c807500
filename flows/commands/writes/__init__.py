"""The commands below `planrecon plan`: changes shown, sent, looked after."""
