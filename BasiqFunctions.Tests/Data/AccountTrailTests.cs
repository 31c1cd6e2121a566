using BasiqFunctions.Data;

namespace BasiqFunctions.Tests.Data;

/// <summary>What is known of an account's earlier segments, on whatever machine the next one is fetched.</summary>
[Trait("Category", "Unit")]
public sealed class AccountTrailTests : IDisposable
{
    private static readonly UserId User = new("user-1");

    private readonly SnapshotScene _scene = new();

    public void Dispose() => _scene.Dispose();

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_transaction_of_an_earlier_segment_is_not_new(bool onAnotherMachine)
    {
        await _scene.Store.Staging.StageAccountsAsync(User, new("s1"), [SnapshotScene.Account("a1", "c1")], default);
        var trail = await _scene.Store.Staging.ResumeTrailAsync(User, new("s1"), new("a1"), 0, null, default);
        Assert.True(trail.Takes("t0"u8));
        Assert.True(trail.Follows("link-0"));
        trail.EndPage();
        await _scene.Store.Staging.KeepTrailAsync(trail, "attempt0", default);
        trail = await Machine(onAnotherMachine).Staging.ResumeTrailAsync(User, new("s1"), new("a1"), 1, "attempt0", default);
        Assert.False(trail.Takes("t0"u8));
        Assert.True(trail.Takes("t1"u8));
        Assert.False(trail.Follows("link-0"));
        Assert.True(trail.Follows("link-1"));
        trail.EndPage();
        trail.EndPage();
        await _scene.Store.Staging.KeepTrailAsync(trail, "attempt1", default);

        trail = await Machine(onAnotherMachine).Staging.ResumeTrailAsync(User, new("s1"), new("a1"), 2, "attempt1", default);

        Assert.Equal(1, trail.PagesWithoutNews);
        Assert.False(trail.Takes("t0"u8));
        Assert.False(trail.Takes("t1"u8));
        Assert.False(trail.Follows("link-0"));
        Assert.False(trail.Follows("link-1"));
        Assert.True(trail.Takes("t2"u8));
    }

    [Fact]
    public async Task An_attempt_that_is_made_again_loses_nothing_that_the_first_one_saw()
    {
        await _scene.Store.Staging.StageAccountsAsync(User, new("s1"), [SnapshotScene.Account("a1", "c1")], default);
        var trail = await _scene.Store.Staging.ResumeTrailAsync(User, new("s1"), new("a1"), 0, null, default);
        trail.Takes("t0"u8);
        await _scene.Store.Staging.KeepTrailAsync(trail, "attempt0", default);

        // One that dies half-way, and one whose result is lost after it was written down.
        (await _scene.Store.Staging.ResumeTrailAsync(User, new("s1"), new("a1"), 1, "attempt0", default)).Takes("t1"u8);
        var second = await _scene.Store.Staging.ResumeTrailAsync(User, new("s1"), new("a1"), 1, "attempt0", default);
        Assert.True(second.Takes("t1"u8));
        await _scene.Store.Staging.KeepTrailAsync(second, "attempt1", default);

        var third = await _scene.Store.Staging.ResumeTrailAsync(User, new("s1"), new("a1"), 1, "attempt0", default);
        Assert.True(third.Takes("t1"u8));
        Assert.False(third.Takes("t0"u8));
    }

    [Fact]
    public async Task A_trail_that_was_given_back_is_as_it_was()
    {
        await _scene.Store.Staging.StageAccountsAsync(User, new("s1"), [SnapshotScene.Account("a1", "c1")], default);
        var trail = await _scene.Store.Staging.ResumeTrailAsync(User, new("s1"), new("a1"), 0, null, default);
        trail.Takes("t0"u8);
        await _scene.Store.Staging.KeepTrailAsync(trail, "attempt0", default);
        _scene.Store.Staging.GiveBack(await _scene.Store.Staging.ResumeTrailAsync(User, new("s1"), new("a1"), 1, "attempt0", default));
        _scene.Storage.Before = (step, name) => throw new InvalidOperationException($"It asked the storage to {step} {name}.");

        Assert.False((await _scene.Store.Staging.ResumeTrailAsync(User, new("s1"), new("a1"), 1, "attempt0", default)).Takes("t0"u8));
    }

    [Fact]
    public async Task Nothing_is_left_of_the_trail_of_a_sync_that_was_published_or_discarded()
    {
        var segments = await _scene.StageAsync(User, "s1", ("a1", "c1", ["{\"id\":\"t\"}"]));
        var trail = await _scene.Store.Staging.ResumeTrailAsync(User, new("s1"), new("a1"), 0, null, default);
        await _scene.Store.Staging.KeepTrailAsync(trail, "attempt0", default);
        await _scene.PublishAsync(User, "s1", segments, "c1");
        Assert.DoesNotContain(_scene.Files, file => file.EndsWith(".trail", StringComparison.Ordinal));

        await _scene.StageAsync(User, "s2", ("a1", "c1", ["{\"id\":\"t\"}"]));
        trail = await _scene.Store.Staging.ResumeTrailAsync(User, new("s2"), new("a1"), 0, null, default);
        await _scene.Store.Removal.DiscardAsync(User, new("s2"), default);

        await Assert.ThrowsAsync<SnapshotDiscardedException>(() => _scene.Store.Staging.KeepTrailAsync(trail, "attempt0", default));
        Assert.DoesNotContain(_scene.Files, file => file.Contains("s2", StringComparison.Ordinal));
        await Assert.ThrowsAsync<SnapshotDiscardedException>(() => Machine(isAnother: true).Staging.ResumeTrailAsync(User, new("s2"), new("a1"), 1, "attempt0", default));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(20)]
    [InlineData(-1)]
    [InlineData(null)]
    public async Task A_trail_that_is_damaged_is_an_error(int? at)
    {
        await _scene.Store.Staging.StageAccountsAsync(User, new("s1"), [SnapshotScene.Account("a1", "c1")], default);
        var trail = await _scene.Store.Staging.ResumeTrailAsync(User, new("s1"), new("a1"), 0, null, default);
        trail.Takes("t0"u8);
        await _scene.Store.Staging.KeepTrailAsync(trail, "attempt0", default);
        var file = Path.Combine(_scene.Folder, SnapshotPaths.Trail(User, new("s1"), new("a1"), 0, "attempt0"));
        var bytes = await File.ReadAllBytesAsync(file);
        if (at is { } place)
            bytes[place < 0 ? bytes.Length + place : place] ^= 1;
        else
            bytes = bytes[..^1];
        await File.WriteAllBytesAsync(file, bytes);

        await Assert.ThrowsAsync<SnapshotCorruptException>(() => Machine(isAnother: true).Staging.ResumeTrailAsync(User, new("s1"), new("a1"), 1, "attempt0", default));
    }

    /// <summary>The machine that wrote what there is, or one that knows only what lies in the storage.</summary>
    private SnapshotParts Machine(bool isAnother) =>
        isAnother
            ? SnapshotParts.Over(_scene.Storage, _scene.Clock)
            : _scene.Store;
}
