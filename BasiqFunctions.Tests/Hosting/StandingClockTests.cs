using BasiqFunctions.Basiq;
using BasiqFunctions.Tests.Basiq;

namespace BasiqFunctions.Tests.Hosting;

[Trait("Category", "Unit")]
public sealed class StandingClockTests
{
    [Fact]
    public async Task A_call_under_way_does_not_keep_what_is_disposed_of_waiting_for_ever()
    {
        var test = new ClientUnderTest();
        await test.Tokens.GetAsync();
        var never = new TaskCompletionSource<HttpResponseMessage>();
        test.Basiq.Answer = (_, _, cancellation) => never.Task.WaitAsync(cancellation);
        var call = test.Client.GetUserAsync(new("u1"));
        Assert.False(call.IsCompleted);

        await test.DisposeAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(30));

        await Assert.ThrowsAsync<BasiqException>(() => call);
    }
}
