"""Every component and every card in every state, on one page: for who makes the next one."""
