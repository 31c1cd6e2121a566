metadata description = 'Types that more than one module takes.'

@export()
@description('Tags of a resource, or app settings: a text for each name.')
type textByName = { *: string }
