var app = WebApplication.CreateSlimBuilder(args).Build();
app.Run(context => context.Response.WriteAsync("Hello"));
await app.RunAsync();
