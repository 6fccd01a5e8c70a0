module example.org/corridor

go 1.26.0
