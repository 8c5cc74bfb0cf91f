// Empty: it lets start.go declare programMain without a body.
