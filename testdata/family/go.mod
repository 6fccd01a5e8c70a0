module example.org/family

go 1.26.0
